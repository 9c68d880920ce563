//! What proves a connector: the conformance suite, and fake services that misbehave on request.
//!
//! A connector's own tests and the daemon's tests use it (feature `testing`); no release holds any of it. A fake service is real as far
//! as the network goes: it listens on a port of its own and is asked by the daemon's own client.
//!
//! It does not prove that a vendor behaves like its fake.
#![allow(clippy::expect_used, reason = "where a test's own machinery fails, the test has failed")]

pub mod block_kit;
pub mod conformance;
pub mod database;
mod engine;
pub mod ghost;
pub mod github;
pub mod images;
mod interposer;
mod items;
mod logbook;
mod nobody;
pub mod postgres;
pub mod sample;
pub mod service;
pub mod slack;
pub mod sqlite;
mod wire;
pub mod wordpress;
mod world;

pub use engine::Engine;
pub use interposer::{Fault, Interposer, When, writes};
pub use items::{Case, Given, comment, entry, feedback, product, satisfaction, subscriber, subscription, user, vote};
pub use logbook::Logbook;
pub use nobody::Nobody;
pub use wire::{Answers, Wire};
pub use world::{World, key_of};
