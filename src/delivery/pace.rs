//! Pacing: requests of one connector are spread evenly, never faster than its rate.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use sleeksync_connectors::contract::{Request, Response, Transport, TransportError};
use tokio::time::Instant;
use url::Url;

/// Gives out moments at which a request may leave.
#[derive(Debug)]
pub struct Pace {
    every: Duration,
    next: Mutex<Option<Instant>>,
}

impl Pace {
    /// So many a minute; 0 for no limit.
    pub fn per_minute(rate: u32) -> Self {
        let every = if rate == 0 { Duration::ZERO } else { Duration::from_secs(60) / rate };
        Self { every, next: Mutex::new(None) }
    }

    /// Waits for the next moment.
    pub async fn moment(&self) {
        if self.every.is_zero() {
            return;
        }
        let at = {
            let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
            #[expect(clippy::disallowed_methods, reason = "tokio's clock, which only measures the distance between two requests")]
            let now = Instant::now();
            let at = next.map_or(now, |next| next.max(now));
            *next = Some(at + self.every);
            at
        };
        tokio::time::sleep_until(at).await;
    }
}

/// Sends at the connector's pace.
pub struct Paced {
    /// Who really sends.
    pub transport: Arc<dyn Transport>,
    /// How fast.
    pub pace: Pace,
}

#[async_trait]
impl Transport for Paced {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        self.pace.moment().await;
        self.transport.send(request).await
    }

    async fn fetch_untrusted(&self, url: &Url) -> Result<Response, TransportError> {
        self.transport.fetch_untrusted(url).await
    }
}
