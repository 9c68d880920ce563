//! Status: how everything is doing, in one object.

use serde::Serialize;
use sleeksync_connectors::contract::{ProductId, Time};

use super::{Desk, DeskError};
use crate::delivery::Assignment;
use crate::index::row::{ConnectorRow, MetaRow};
use crate::record::Halt;

/// So many deliveries of a connector are looked at for the oldest.
const OLDEST_SCAN: usize = 2_000;

/// How everything is doing.
#[derive(Debug, Serialize)]
pub struct StatusAnswer {
    /// Version of the daemon.
    pub version: &'static str,
    /// The webhook side.
    pub receiver: ReceiverAnswer,
    /// The journal.
    pub journal: JournalAnswer,
    /// Every connector, also those that were removed from the configuration but still have links or a queue.
    pub connectors: Vec<ConnectorAnswer>,
}

/// The webhook side.
#[derive(Debug, Serialize)]
pub struct ReceiverAnswer {
    /// When the last event arrived.
    pub last_event_at: Option<String>,
    /// Webhooks refused in the last 24 hours, as far as this process knows.
    pub refused_24h: u64,
    /// Events of the last 24 hours that were kept but not understood.
    pub unrecognised_24h: u64,
    /// Products that send events and are not configured; the latest few.
    pub unlisted_products: Vec<UnlistedAnswer>,
}

/// A product that is not configured.
#[derive(Debug, Serialize)]
pub struct UnlistedAnswer {
    /// Its id.
    pub product_id: u64,
    /// Its events that were kept, and delivered nowhere.
    pub events: u64,
    /// When the last one arrived.
    pub last_event_at: String,
}

/// The journal.
#[derive(Debug, Serialize)]
pub struct JournalAnswer {
    /// Events ever accepted.
    pub events: u64,
    /// Accepted, and not yet turned into deliveries.
    pub unfolded: u64,
    /// Since when the oldest delivery is owed (of the first few thousand).
    pub oldest_queued_at: Option<String>,
    /// Bytes on disk.
    pub bytes: u64,
    /// `fdatasync` calls since the start.
    pub syncs: u64,
    /// Number of the last record.
    pub last_seq: u64,
}

/// One connector.
#[derive(Debug, Serialize)]
pub struct ConnectorAnswer {
    /// The user's name for it.
    pub name: String,
    /// What it is an instance of.
    pub kind: String,
    /// What it writes to.
    pub scope: String,
    /// running, throttled, down, paused, braked, unauthorized, dry_run, moved, removed or disabled.
    pub state: &'static str,
    /// Why, where there is more to say.
    pub state_reason: Option<String>,
    /// Owed and not parked.
    pub queued: u64,
    /// Being worked on.
    pub in_flight: usize,
    /// Parked.
    pub parked: u64,
    /// Ever done.
    pub delivered: u64,
    /// Ever skipped.
    pub skipped: u64,
    /// When the service last did what was asked.
    pub last_success_at: Option<String>,
    /// The last failure.
    pub last_error: Option<ErrorAnswer>,
}

/// A failure.
#[derive(Debug, Serialize)]
pub struct ErrorAnswer {
    /// When.
    pub at: String,
    /// Its class.
    pub class: String,
    /// What was said.
    pub message: String,
    /// About which item.
    pub item: String,
}

impl Desk {
    /// How everything is doing.
    ///
    /// # Errors
    /// The index is being rebuilt.
    pub fn status(&self) -> Result<StatusAnswer, DeskError> {
        let (view, now) = (self.view()?, self.shared.clock.now());
        let meta = view.meta()?;
        let synced = self.shared.journal.synced().borrow().0;
        let stats = self.shared.journal.stats();
        let connectors = view.connectors()?;
        let mut oldest: Option<Time> = None;
        for (id, _) in &connectors {
            let since = view.duties(*id, None, OLDEST_SCAN)?.iter().map(|duty| duty.since).min();
            oldest = match (oldest, since) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            };
        }
        let shown = connectors.iter().filter(|(_, row)| !row.removed || row.queued + row.parked + row.delivered > 0);
        Ok(StatusAnswer {
            version: env!("CARGO_PKG_VERSION"),
            receiver: ReceiverAnswer {
                last_event_at: meta.last_event_at.map(|at| at.to_string()),
                refused_24h: self.refused_24h(now),
                unrecognised_24h: unrecognised(&meta, now),
                unlisted_products: self.unlisted(&meta),
            },
            journal: JournalAnswer {
                events: meta.events,
                unfolded: synced.saturating_sub(meta.folded),
                oldest_queued_at: oldest.map(|at| at.to_string()),
                bytes: stats.bytes_on_disk,
                syncs: stats.syncs,
                last_seq: synced,
            },
            connectors: shown.map(|(_, row)| self.connector_answer(row, now)).collect::<Result<_, _>>()?,
        })
    }

    /// Those that were configured since are none any more.
    fn unlisted(&self, meta: &MetaRow) -> Vec<UnlistedAnswer> {
        let unlisted = meta.unlisted.iter().filter(|row| !self.shared.products.is_ours(ProductId(row.product)));
        unlisted.map(|row| UnlistedAnswer { product_id: row.product, events: row.events, last_event_at: row.last_at.to_string() }).collect()
    }

    fn connector_answer(&self, row: &ConnectorRow, now: Time) -> Result<ConnectorAnswer, DeskError> {
        let staff = self.staff();
        let assignment = staff.get(&row.name);
        let (state, state_reason) = state(row, assignment.map(AsRef::as_ref), now);
        let only = self.only_product()?;
        Ok(ConnectorAnswer {
            name: row.name.clone(),
            kind: row.kind.clone(),
            scope: row.scope.to_string(),
            state,
            state_reason,
            queued: row.queued,
            in_flight: assignment.map_or(0, |assignment| assignment.health.busy().len()),
            parked: row.parked,
            delivered: row.delivered,
            skipped: row.skipped,
            last_success_at: row.last_success_at.map(|at| at.to_string()),
            last_error: row.last_error.as_ref().map(|error| ErrorAnswer {
                at: error.at.to_string(),
                class: error.class.clone(),
                message: error.message.clone(),
                item: Desk::item_name(only, &error.item),
            }),
        })
    }
}

/// The state of a connector in one word, and why: what a person must act on comes first.
fn state(row: &ConnectorRow, assignment: Option<&Assignment>, now: Time) -> (&'static str, Option<String>) {
    let Some(assignment) = assignment.filter(|_| !row.removed) else {
        return ("removed", Some("no longer in the configuration; its links and queue are kept".to_owned()));
    };
    if let Some(to) = &row.moved_to {
        let reason = format!(
            "its scope was {}, the configuration says {to}; `connector move` keeps its links, `connector reset` forgets them",
            row.scope
        );
        return ("moved", Some(reason));
    }
    if !row.enabled {
        return ("disabled", None);
    }
    match row.halt {
        Halt::Paused => return ("paused", Some(row.halt_why.clone())),
        Halt::Braked => return ("braked", Some(row.halt_why.clone())),
        Halt::No => {}
    }
    match row.throttled_until {
        _ if assignment.health.is_unauthorized() => {
            ("unauthorized", Some("the service refuses the credentials; `resume` or a restart tries again".to_owned()))
        }
        _ if assignment.health.is_down() => ("down", Some("the service does not answer; it is probed until it does".to_owned())),
        Some(until) if until > now => ("throttled", Some(format!("the service asked to wait until {until}"))),
        _ if assignment.dry_run => ("dry_run", None),
        _ => ("running", None),
    }
}

fn unrecognised(meta: &MetaRow, now: Time) -> u64 {
    let hour = u64::try_from(now.as_ms() / 3_600_000).unwrap_or(0);
    meta.unrecognised.iter().filter(|(then, _)| then + 24 > hour).map(|(_, count)| count).sum()
}
