//! What connectors share: no connector carries its own copy of it.

pub mod text;
