//! Connectors.

pub mod kit;
