//! Why a command did not do what it was asked, and the exit code that says so.

use std::path::PathBuf;

use sleeksync_connectors::kit::http::ClientError;

use crate::app::{OpenStoreError, RunError};
use crate::config::LoadError;
use crate::index::maintenance::MaintenanceError;
use crate::journal::{OpenError, ReadError};

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// It did what it was asked.
    Done,
    /// It did not.
    Failed,
    /// It was asked in a wrong way, or the configuration is wrong.
    Wrong,
    /// The daemon cannot be reached, and the store is in use.
    Unreachable,
}

impl Exit {
    /// The number a shell sees.
    pub const fn code(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Wrong => 2,
            Exit::Unreachable => 3,
        }
    }
}

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The configuration has mistakes.
    #[error(transparent)]
    Config(#[from] LoadError),
    /// The arguments make no sense together.
    #[error("{problem}; {expected}")]
    Usage {
        /// What is wrong.
        problem: String,
        /// What would be right.
        expected: String,
    },
    /// It cannot be undone, there is nobody to ask, and `--yes` was not given.
    #[error("{what} cannot be undone; say --yes")]
    Unconfirmed {
        /// What would be done.
        what: String,
    },
    /// Nobody answers where the daemon should.
    #[error("no daemon answers at {address}")]
    Unreachable {
        /// Where it was looked for.
        address: String,
    },
    /// Nobody answers where the daemon should, and the store cannot be used instead.
    #[error("no daemon answers at {address}, and {held}")]
    Held {
        /// Where it was looked for.
        address: String,
        /// Who uses the store.
        held: OpenError,
    },
    /// Something answers, and it is not the daemon.
    #[error("what answers at {address} is not sleeksync")]
    Stranger {
        /// Where it answers.
        address: String,
    },
    /// The daemon refused.
    #[error("{message}{}", if .hint.is_empty() { String::new() } else { format!("; {}", .hint) })]
    Refused {
        /// What it said.
        message: String,
        /// What it advises.
        hint: String,
    },
    /// The connection broke.
    #[error("{what} failed")]
    Http {
        /// What was attempted.
        what: &'static str,
        /// Without the address, which may carry a key.
        #[source]
        source: reqwest::Error,
    },
    /// The services cannot be asked.
    #[error("the services cannot be asked")]
    Client(#[source] ClientError),
    /// A file cannot be read or written.
    #[error("{} cannot be {verb}", .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What was attempted, as in `read`.
        verb: &'static str,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The terminal cannot be read.
    #[error("the answer cannot be read")]
    Answer(#[source] std::io::Error),
    /// The daemon cannot start, or had to end.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The store cannot be opened.
    #[error(transparent)]
    Store(#[from] OpenStoreError),
    /// The journal cannot be read.
    #[error("the journal cannot be read")]
    Read(#[source] ReadError),
    /// The index cannot be looked after.
    #[error(transparent)]
    Index(#[from] MaintenanceError),
    /// Signals cannot be listened to.
    #[error("signals cannot be listened to")]
    Signals(#[source] std::io::Error),
    /// The system has no randomness.
    #[error("the system gives no random numbers: {0}")]
    Random(getrandom::Error),
}

impl CommandError {
    /// The exit code it ends with.
    pub const fn exit(&self) -> Exit {
        match self {
            CommandError::Config(_) | CommandError::Usage { .. } | CommandError::Unconfirmed { .. } => Exit::Wrong,
            CommandError::Unreachable { .. }
            | CommandError::Held { .. }
            | CommandError::Store(OpenStoreError::Journal(OpenError::InUse { .. }))
            | CommandError::Run(RunError::Store(OpenStoreError::Journal(OpenError::InUse { .. }))) => Exit::Unreachable,
            CommandError::Stranger { .. }
            | CommandError::Refused { .. }
            | CommandError::Http { .. }
            | CommandError::Client(_)
            | CommandError::File { .. }
            | CommandError::Answer(_)
            | CommandError::Run(_)
            | CommandError::Store(_)
            | CommandError::Read(_)
            | CommandError::Index(_)
            | CommandError::Signals(_)
            | CommandError::Random(_) => Exit::Failed,
        }
    }

    /// A usage error.
    pub(super) fn usage(problem: impl Into<String>, expected: impl Into<String>) -> Self {
        CommandError::Usage { problem: problem.into(), expected: expected.into() }
    }
}
