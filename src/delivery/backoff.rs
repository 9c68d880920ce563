//! Pauses between attempts.

use std::time::Duration;

use sleeksync_connectors::contract::Hash;

use crate::record::DutyKey;

/// Pauses that double from `min` up to `max`, each up to a fifth shorter or longer.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    /// The first pause.
    pub min: Duration,
    /// The longest one.
    pub max: Duration,
}

impl Backoff {
    /// The pause after the `attempts`-th failure in a row.
    ///
    /// The jitter comes from the delivery itself: lanes spread, and a test sees the same pauses every time.
    pub fn pause(&self, attempts: u32, duty: &DutyKey) -> Duration {
        let doubled = self.min.saturating_mul(1_u32.checked_shl(attempts.saturating_sub(1)).unwrap_or(u32::MAX));
        let pause = doubled.min(self.max);
        let seed = Hash::of(format!("{}/{}/{attempts}", duty.connector, duty.item.qualified()).as_bytes());
        let fifth = f64::from(seed.as_bytes().first().copied().unwrap_or(128)) / 255.0 * 0.4 + 0.8;
        pause.mul_f64(fifth).min(self.max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::ConnectorId;
    use sleeksync_connectors::contract::{ItemId, ItemKind, ProductId};

    #[test]
    fn pauses_double_and_stay_within_their_bounds() {
        let backoff = Backoff { min: Duration::from_secs(1), max: Duration::from_secs(300) };
        let item = ItemId::top(ProductId(1), ItemKind::Feedback, "3").unwrap();
        let duty = DutyKey { connector: ConnectorId(0), item, event: None };
        let pauses: Vec<_> = (1..=64).map(|attempts| backoff.pause(attempts, &duty)).collect();
        assert!(pauses[0] >= Duration::from_millis(800) && pauses[0] <= Duration::from_millis(1200), "{pauses:?}");
        assert!(pauses.iter().all(|pause| *pause <= backoff.max));
        assert!(pauses[63] >= Duration::from_secs(240));
    }
}
