//! Pacing: requests of one connector are spread evenly, never faster than its rate. Waiting for one's turn is no part of a request's time.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use sleeksync_connectors::contract::{Cause, Request, Response, Transport, TransportError, Unsent};
use tokio::time::Instant;
use url::Url;

use crate::supervisor::Supervisor;

/// The shortest sleep of [`Timed::within`].
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Gives out moments at which a request may leave.
#[derive(Debug)]
pub struct Pace {
    every: Duration,
    /// When the next request may leave. Who waits for that holds the lock; the others queue for it, and who gives up takes no moment.
    next: tokio::sync::Mutex<Option<Instant>>,
}

impl Pace {
    /// So many a minute; 0 for no limit.
    pub fn per_minute(rate: u32) -> Self {
        let every = if rate == 0 { Duration::ZERO } else { Duration::from_secs(60) / rate };
        Self { every, next: tokio::sync::Mutex::new(None) }
    }

    /// Waits for the next moment and takes it. Whether that took any time.
    pub async fn moment(&self) -> bool {
        if self.every.is_zero() {
            return false;
        }
        let asked_at = now();
        let mut next = self.next.lock().await;
        let at = next.map_or(asked_at, |next| next.max(now()));
        tokio::time::sleep_until(at).await;
        *next = Some(at + self.every);
        at > asked_at
    }
}

#[expect(clippy::disallowed_methods, reason = "tokio's clock, which only measures distances")]
fn now() -> Instant {
    Instant::now()
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

/// Sends for one step, and knows how long it waited for its turns. At shutdown it waits no longer: the request is not sent.
pub(super) struct Timed<'a> {
    paced: &'a Paced,
    supervisor: &'a Supervisor,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// A moment was taken already, for the first request.
    has_moment: bool,
    waited: Duration,
    waiting_since: Option<Instant>,
}

impl<'a> Timed<'a> {
    /// `has_moment`: one was taken for the first request.
    pub(super) fn new(paced: &'a Paced, supervisor: &'a Supervisor, has_moment: bool) -> Self {
        Self { paced, supervisor, state: Mutex::new(State { has_moment, ..State::default() }) }
    }

    /// Does `work` unless that takes longer than `limit`, its waits for a turn aside.
    pub(super) async fn within<T>(&self, limit: Duration, work: impl Future<Output = T>) -> Option<T> {
        let mut work = std::pin::pin!(work);
        let (begun, before) = (now(), self.waited());
        loop {
            let left = (limit + self.waited()).saturating_sub(begun.elapsed() + before);
            if left.is_zero() {
                return None;
            }
            tokio::select! {
                biased;
                done = &mut work => return Some(done),
                () = tokio::time::sleep(left.max(LOOK_EVERY)) => {}
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn waited(&self) -> Duration {
        let state = self.state();
        state.waited + state.waiting_since.map(|since| since.elapsed()).unwrap_or_default()
    }

    async fn turn(&self) -> Result<(), TransportError> {
        if std::mem::take(&mut self.state().has_moment) {
            return Ok(());
        }
        self.state().waiting_since = Some(now());
        let turn = tokio::select! {
            biased;
            _ = self.paced.pace.moment() => Ok(()),
            () = self.supervisor.stopping() => {
                Err(TransportError { unsent: Unsent::Certainly, source: Cause::new("shutting down before its turn came") })
            }
        };
        let mut state = self.state();
        let took = state.waiting_since.take().map(|since| since.elapsed());
        state.waited += took.unwrap_or_default();
        turn
    }
}

#[async_trait]
impl Transport for Timed<'_> {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        self.turn().await?;
        self.paced.transport.send(request).await
    }

    async fn fetch_untrusted(&self, url: &Url) -> Result<Response, TransportError> {
        self.paced.fetch_untrusted(url).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Nothing;

    #[async_trait]
    impl Transport for Nothing {
        async fn send(&self, _request: Request) -> Result<Response, TransportError> {
            std::future::pending().await
        }

        async fn fetch_untrusted(&self, _url: &Url) -> Result<Response, TransportError> {
            std::future::pending().await
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_gives_up_waiting_takes_no_moment() {
        let pace = Pace::per_minute(6);
        let begun = now();
        assert!(!pace.moment().await);
        for _ in 0..5 {
            assert!(tokio::time::timeout(Duration::from_secs(1), pace.moment()).await.is_err());
        }
        assert!(pace.moment().await);
        assert_eq!(begun.elapsed(), Duration::from_secs(10));
    }

    #[tokio::test(start_paused = true)]
    async fn waiting_for_a_turn_takes_no_time_and_all_else_does() {
        let paced = Paced { transport: Arc::new(Nothing), pace: Pace::per_minute(6) };
        let supervisor = Supervisor::new();
        let limit = Duration::from_secs(2);
        paced.pace.moment().await;
        let timed = Timed::new(&paced, &supervisor, false);
        let begun = now();
        assert_eq!(timed.within(limit, timed.turn()).await.map(|turn| turn.is_ok()), Some(true));
        assert_eq!(begun.elapsed(), Duration::from_secs(10));
        assert!(timed.within(limit, std::future::pending::<()>()).await.is_none());
        supervisor.stop();
        assert_eq!(timed.within(limit, timed.turn()).await.map(|turn| turn.is_ok()), Some(false));
    }
}
