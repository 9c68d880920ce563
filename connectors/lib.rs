//! What sleeksync knows of each service: one module a kind, behind one contract.
//!
//! This crate knows no delivery, store or clock: the daemon depends on it, never the other way round. From outside only the contract,
//! the kit and the registry can be named; a new kind is its folder, one `mod` line here and one row in the registry.

pub mod contract;
pub mod kit;
pub mod registry;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

mod ghost;
mod github;
mod postgres;
mod site;
mod slack;
mod sqlite;
mod webhook;
mod wordpress;
