//! The only place that reads the time.
//!
//! Everything else is handed a [`Clock`], so that tests run on tokio's paused time.

use std::time::{Duration, SystemTime};

use sleeksync_connectors::contract::Time;
use tokio::time::Instant;

/// Tells the time of day, and sleeps.
#[derive(Clone, Debug)]
pub struct Clock {
    source: Source,
}

#[derive(Clone, Debug)]
enum Source {
    System,
    /// A time of day that follows tokio's clock, which tests can pause and advance.
    Tokio {
        begin: Time,
        at: Instant,
    },
}

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        Self { source: Source::System }
    }

    /// A clock that reads `begin` now and from then on follows tokio's.
    #[expect(clippy::disallowed_methods, reason = "this is the place")]
    pub fn starting_at(begin: Time) -> Self {
        Self { source: Source::Tokio { begin, at: Instant::now() } }
    }

    /// The time of day.
    #[expect(clippy::disallowed_methods, reason = "this is the place")]
    pub fn now(&self) -> Time {
        match self.source {
            Source::System => {
                let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
                Time::ZERO.plus(since)
            }
            Source::Tokio { begin, at } => begin.plus(at.elapsed()),
        }
    }

    /// Sleeps until `at`; returns at once when it has passed.
    pub async fn sleep_until(&self, at: Time) {
        tokio::time::sleep(at.since(self.now())).await;
    }
}
