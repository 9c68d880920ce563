//! temp
pub mod payload;
pub mod products;
