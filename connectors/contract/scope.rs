//! What a connector writes to.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The place a connector writes to, such as `github:acme/widgets`.
///
/// Part of every link and intent: when a connector's scope changes, its links may no longer mean anything, so it does not start.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Scope(pub String);

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
