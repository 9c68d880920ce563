//! The six classes of failure. A connector says which; only the engine decides what follows.

use std::fmt;
use std::time::Duration;

use super::Time;

/// The longest cause that is kept, in characters.
const CAUSE_CHARS_MAX: usize = 400;

/// What the service or the transport said: one line, printable, bounded, without secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause(String);

impl Cause {
    /// Keeps what can be printed on one line. The caller leaves secrets, bodies and query strings out.
    pub fn new(text: impl AsRef<str>) -> Self {
        let line: String = text.as_ref().chars().map(|c| if c.is_control() { ' ' } else { c }).take(CAUSE_CHARS_MAX).collect();
        Self(line.split_whitespace().collect::<Vec<_>>().join(" "))
    }

    /// The line.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Cause {}

/// When the service says it may be asked again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryAfter {
    /// This long after its answer.
    In(Duration),
    /// At this time.
    At(Time),
}

/// What a limit holds back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// Only this object.
    Item,
    /// Everything this connector sends.
    Connector,
}

/// How one step failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// It did certainly not happen, and may work later.
    #[error("temporarily refused")]
    Transient {
        /// When to come back, where the service says so.
        retry_after: Option<RetryAfter>,
        /// What has to wait until then.
        scope: Limit,
        /// What was said.
        source: Cause,
    },
    /// It may or may not have happened.
    #[error("outcome unknown")]
    Unknown {
        /// When to come back, where the service says so.
        retry_after: Option<RetryAfter>,
        /// What was said.
        source: Cause,
    },
    /// It did not happen and will not, as it stands.
    #[error("rejected")]
    Rejected {
        /// What was said.
        source: Cause,
    },
    /// The credentials do not (or no longer) allow it: everything this connector does is concerned.
    #[error("not authorised")]
    Unauthorized {
        /// What was said.
        source: Cause,
    },
    /// The object to change is not there (any more).
    #[error("object is gone")]
    Missing {
        /// What was said.
        source: Cause,
    },
    /// It did not happen, and the receiver wants nothing of this connector any more, for good: the connector is paused.
    #[error("nothing more is wanted")]
    Unwanted {
        /// What was said.
        source: Cause,
    },
}

impl Failure {
    /// What was said.
    pub fn cause(&self) -> &Cause {
        match self {
            Failure::Transient { source, .. }
            | Failure::Unknown { source, .. }
            | Failure::Rejected { source }
            | Failure::Unauthorized { source }
            | Failure::Missing { source }
            | Failure::Unwanted { source } => source,
        }
    }

    /// The class in one word, as `status` and the log show it.
    pub const fn class(&self) -> &'static str {
        match self {
            Failure::Transient { .. } => "transient",
            Failure::Unknown { .. } => "unknown",
            Failure::Rejected { .. } => "rejected",
            Failure::Unauthorized { .. } => "unauthorized",
            Failure::Missing { .. } => "missing",
            Failure::Unwanted { .. } => "unwanted",
        }
    }
}
