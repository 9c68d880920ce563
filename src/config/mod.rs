//! The configuration: built-in defaults < files < environment < command line, checked as a whole.
//!
//! Promises that every mistake is reported in one run, each with its file and key, and that no message quotes a secret.
//! It looks at nothing outside but the configuration itself, the environment and the files secrets live in: whether a service
//! accepts the credentials is not decided here.

mod connector;
mod settings;

pub use connector::{ConnectorConfig, Since};
pub use settings::{
    AdminConfig, Config, DeliveryConfig, DeliverySettings, LogConfig, LogFormat, ProductConfig, ReceiverConfig, StoreConfig,
};
