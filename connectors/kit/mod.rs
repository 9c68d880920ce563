//! temp
pub mod template;
