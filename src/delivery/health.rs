//! How a connector is doing, as far as this process has seen. Not persisted: a restart begins with hope.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use sleeksync_connectors::contract::{Failure, ItemId, Limit, Time};

use super::backoff::Backoff;
use crate::record::DutyKey;

/// So many temporary failures in a row mean that the service is down.
const DOWN_AFTER: u32 = 5;

/// How a connector is doing.
#[derive(Debug, Default)]
pub struct Health {
    state: Mutex<State>,
    busy: Mutex<HashSet<ItemId>>,
    making: Mutex<HashMap<ItemId, ItemId>>,
}

#[derive(Debug, Default, Clone, Copy)]
struct State {
    unauthorized: bool,
    failures_in_a_row: u32,
    probe_at: Option<Time>,
}

/// Whether lanes may be taken up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// So many at once as configured.
    Open,
    /// One, to see whether the service is back.
    Probe,
    /// None before this time.
    Until(Time),
    /// Those that are making something already: the brake counted them.
    Finish,
    /// None before a person did something.
    Closed,
}

impl Health {
    /// What a step's result means for the connector.
    pub fn note<T>(&self, result: &Result<T, Failure>, now: Time, backoff: &Backoff, duty: &DutyKey) {
        self.change(|state| match result {
            Err(Failure::Unauthorized { .. }) => state.unauthorized = true,
            // The service says when to come back for this one object: it is there, and the others are not concerned.
            Err(Failure::Transient { retry_after: Some(_), scope: Limit::Item, .. }) => {}
            // What was under way when it went down says so once more, not that it is down for longer: a lost connection fails whole batches.
            Err(Failure::Transient { .. } | Failure::Unknown { .. }) if state.probe_at.is_some_and(|at| at > now) => {}
            Err(Failure::Transient { .. } | Failure::Unknown { .. }) => {
                state.failures_in_a_row = state.failures_in_a_row.saturating_add(1);
                if state.failures_in_a_row >= DOWN_AFTER {
                    state.probe_at = Some(now.plus(backoff.pause(state.failures_in_a_row - DOWN_AFTER + 1, duty)));
                }
            }
            // The service answered: it is there.
            Ok(_) | Err(Failure::Rejected { .. } | Failure::Missing { .. } | Failure::Unwanted { .. }) => {
                *state = State { unauthorized: state.unauthorized, ..State::default() }
            }
        });
    }

    /// A person mended the credentials, or a check passed.
    pub fn clear(&self) {
        self.change(|state| *state = State::default());
    }

    /// Whether the credentials were refused.
    pub fn is_unauthorized(&self) -> bool {
        self.read().unauthorized
    }

    /// Whether the service is down.
    pub fn is_down(&self) -> bool {
        self.read().probe_at.is_some()
    }

    /// Whether lanes may be taken up.
    pub fn gate(&self, now: Time) -> Gate {
        let state = self.read();
        match state.probe_at {
            _ if state.unauthorized => Gate::Closed,
            Some(at) if at > now => Gate::Until(at),
            Some(_) => Gate::Probe,
            None => Gate::Open,
        }
    }

    /// Lanes in flight: written by the connector's worker, read by who wants to show them.
    pub fn busy(&self) -> MutexGuard<'_, HashSet<ItemId>> {
        self.busy.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Items whose first object lanes in flight are to make, by lane: the brake counts them before the index knows.
    pub fn making(&self) -> MutexGuard<'_, HashMap<ItemId, ItemId>> {
        self.making.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self) -> State {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::ConnectorId;
    use sleeksync_connectors::contract::{Cause, ItemId, ItemKind, ProductId, RetryAfter};
    use std::time::Duration;

    #[test]
    fn five_temporary_failures_in_a_row_leave_one_probe_at_a_time() {
        let backoff = Backoff { min: Duration::from_secs(1), max: Duration::from_secs(60) };
        let item = ItemId::top(ProductId(1), ItemKind::Feedback, "3").unwrap();
        let duty = DutyKey { connector: ConnectorId(0), item, event: None };
        let failure: Result<(), _> = Err(Failure::Transient { retry_after: None, scope: Limit::Item, source: Cause::new("refused") });
        let (health, now) = (Health::default(), Time::from_ms(1_000_000));
        for _ in 0..4 {
            health.note(&failure, now, &backoff, &duty);
        }
        assert_eq!(health.gate(now), Gate::Open);
        health.note(&failure, now, &backoff, &duty);
        assert!(matches!(health.gate(now), Gate::Until(_)));
        assert_eq!(health.gate(now.plus(Duration::from_secs(2))), Gate::Probe);
        health.note(&Ok(()), now, &backoff, &duty);
        assert_eq!(health.gate(now), Gate::Open);
        // Many requests that fail at one moment are one outage: the service is asked again soon.
        let lost: Result<(), _> = Err(Failure::Unknown { retry_after: None, source: Cause::new("the connection broke") });
        for _ in 0..256 {
            health.note(&lost, now, &backoff, &duty);
        }
        assert_eq!(health.gate(now.plus(Duration::from_secs(2))), Gate::Probe);
        health.note(&Ok(()), now, &backoff, &duty);
        // One object that is to be looked at later says nothing of the service.
        let later = Some(RetryAfter::In(Duration::from_secs(1)));
        let busy: Result<(), _> = Err(Failure::Transient { retry_after: later, scope: Limit::Item, source: Cause::new("in the works") });
        for _ in 0..9 {
            health.note(&busy, now, &backoff, &duty);
        }
        assert_eq!(health.gate(now), Gate::Open);
    }
}
