//! The configuration: built-in defaults < files < environment < command line, checked as a whole.
//!
//! Promises that every mistake is reported in one run, each with its file and key, and that no message quotes a secret.
//! It looks at nothing outside but the configuration itself, the environment and the files secrets live in: whether a service
//! accepts the credentials is not decided here.

mod connector;
mod connectors;
mod instance;
mod layers;
mod mistake;
mod products;
mod raw;
mod reader;
mod sections;
mod settings;
mod toml_text;
mod tree;
mod values;

#[cfg(test)]
mod tests;

pub use connector::{ConnectorConfig, Since};
pub use layers::{DEFAULT_FILE, ENVIRONMENT_PREFIX, Sources};
pub use mistake::{LoadError, Mistake};
pub use settings::{
    AdminConfig, Config, DeliveryConfig, DeliverySettings, LocalConfig, LogConfig, LogFormat, ProductConfig, ReceiverConfig, StoreConfig,
};

use connectors::Around;
use layers::read_layers;
use reader::Reader;
use tree::{Tree, path};

/// The sections there are.
const SECTIONS: &[&str] = &["receiver", "admin", "store", "products", "delivery", "log", "connectors"];

/// Loads and checks everything, as the daemon needs it.
///
/// # Errors
/// Every mistake there is. Where a file is no TOML, only that: what else is wrong shows once it can be read.
pub fn load(sources: &Sources) -> Result<Config, LoadError> {
    let tree = read_tree(sources)?;
    let mut reader = Reader::new(&tree);
    check_sections(&mut reader);
    let receiver = sections::receiver(&mut reader, true);
    let admin = sections::admin(&mut reader);
    check_listeners(&mut reader, &receiver, &admin);
    let store = sections::store(&mut reader);
    let products = products::products(&mut reader);
    let delivery = sections::delivery(&mut reader, &path(&["delivery"]), &sections::delivery_defaults());
    let log = sections::log(&mut reader);
    let around = Around { kinds: sources.kinds, products: &products, delivery: &delivery };
    let connectors = connectors::connectors(&mut reader, &around);
    finish(reader, Config { receiver, admin, store, products, delivery, log, connectors })
}

/// Loads only what a command needs that talks to the daemon or opens its store; mistakes elsewhere are not its business.
///
/// # Errors
/// Every mistake in these sections.
pub fn load_local(sources: &Sources) -> Result<LocalConfig, LoadError> {
    let tree = read_tree(sources)?;
    let mut reader = Reader::new(&tree);
    let admin = sections::admin(&mut reader);
    let store = sections::store(&mut reader);
    let log = sections::log(&mut reader);
    finish(reader, LocalConfig { admin, store, log })
}

/// Loads only what a command needs that posts to the receiver or says how it is reached. Keys may be missing.
///
/// # Errors
/// Every mistake in this section.
pub fn load_receiver(sources: &Sources) -> Result<ReceiverConfig, LoadError> {
    let tree = read_tree(sources)?;
    let mut reader = Reader::new(&tree);
    let receiver = sections::receiver(&mut reader, false);
    finish(reader, receiver)
}

fn read_tree(sources: &Sources) -> Result<Tree, LoadError> {
    let mut mistakes = Vec::new();
    let layers = read_layers(sources, &mut mistakes);
    if mistakes.is_empty() { Ok(Tree::merge(layers)) } else { Err(LoadError { mistakes }) }
}

fn finish<T>(reader: Reader<'_>, loaded: T) -> Result<T, LoadError> {
    let mistakes = reader.into_mistakes();
    if mistakes.is_empty() { Ok(loaded) } else { Err(LoadError { mistakes }) }
}

fn check_sections(reader: &mut Reader<'_>) {
    for key in reader.tree.keys(&[]).iter().filter(|key| !SECTIONS.contains(&key.as_str())) {
        reader.report(&path(&[key]), "unknown key", mistake::expected_one_of(key, SECTIONS.iter().copied()));
    }
}

fn check_listeners(reader: &mut Reader<'_>, receiver: &ReceiverConfig, admin: &AdminConfig) {
    if receiver.listen == admin.listen && receiver.listen.port() != 0 {
        reader.report(&path(&["admin", "listen"]), "is the address of receiver.listen", "expected another port");
    }
}
