//! What people ask and decide: status, lists, dry runs, retries. The same functions answer over HTTP and, when no daemon runs, for the
//! command line.
//!
//! Nothing here delivers: a decision is a record, and delivery sees it as everybody does, in the index.

mod actions;
mod answers;
pub mod api;
mod dry_run;
pub mod guard;
mod listing;
mod replay;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use serde::Serialize;
use sleeksync_connectors::contract::{ItemId, ParseItemIdError, ProductId, Time};

pub use actions::{Decision, Done};
pub use answers::{ConnectorAnswer, StatusAnswer};
pub use dry_run::Subject;
pub use listing::Query;
pub use replay::{ReplayAnswer, ReplayRequest};

use crate::delivery::{Assignment, Shared};
use crate::index::{RowsError, View, as_if, row::ConnectorRow};
use crate::journal::{AppendError, ReadError, RoomLeft, Seq};
use crate::receiver::Readiness;
use crate::record::{ConnectorId, Roster};

/// Hours for which refusals are counted.
const REFUSED_HOURS: i64 = 24;

/// Everything a question or decision may touch.
pub struct Desk {
    /// The store and what knows it.
    pub shared: Arc<Shared>,
    /// Connectors of the configuration by name.
    staff: Mutex<Arc<BTreeMap<String, Arc<Assignment>>>>,
    /// A configuration that questions are answered for although it was never put to work.
    supposed: OnceLock<Roster>,
    /// The record of the configuration at work, where this process wrote it.
    roster_seq: AtomicU64,
    /// There was room for the last event.
    had_room: AtomicBool,
    /// Refused webhooks by the hour.
    refused: Mutex<BTreeMap<i64, u64>>,
}

/// Why a question has no answer.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// There is no such thing.
    #[error("there is no {what} `{name}`")]
    Unknown {
        /// What was asked for.
        what: &'static str,
        /// Its name, as it was given.
        name: String,
    },
    /// It makes no sense as it was asked.
    #[error("{message}")]
    Invalid {
        /// What is wrong and what would be right.
        message: String,
    },
    /// An item's name is none.
    #[error(transparent)]
    Item(#[from] ParseItemIdError),
    /// The index is being rebuilt, or failed.
    #[error("the index cannot be asked now")]
    Index(#[from] RowsError),
    /// The journal cannot be read.
    #[error("the journal cannot be read")]
    Read(#[from] ReadError),
    /// The journal takes nothing.
    #[error("the decision could not be written down")]
    Append(#[from] AppendError),
}

/// One page of a list, newest first.
#[derive(Debug, Serialize)]
pub struct Page<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// What to give as `before` for the next page; `None` at the end.
    pub next: Option<u64>,
}

impl Desk {
    /// A desk for these connectors.
    pub fn new(shared: Arc<Shared>, staff: BTreeMap<String, Arc<Assignment>>) -> Self {
        Self {
            shared,
            staff: Mutex::new(Arc::new(staff)),
            supposed: OnceLock::new(),
            roster_seq: AtomicU64::new(0),
            had_room: AtomicBool::new(true),
            refused: Mutex::new(BTreeMap::new()),
        }
    }

    /// The configured connectors.
    pub fn staff(&self) -> Arc<BTreeMap<String, Arc<Assignment>>> {
        Arc::clone(&self.staff.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The configuration was read again.
    pub fn replace_staff(&self, staff: BTreeMap<String, Arc<Assignment>>) {
        *self.staff.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(staff);
    }

    /// Answers as if the connectors of this roster were at work. Nothing is written.
    pub fn suppose(&self, roster: Roster) {
        // A desk that supposes something is asked one question.
        let _ = self.supposed.set(roster);
    }

    /// The configuration was written down as this record: what is asked from now on is answered by it.
    pub fn note_roster(&self, seq: Seq) {
        self.roster_seq.store(seq.0, Ordering::Relaxed);
    }

    /// Ends when the index can be asked and knows the configuration; `false` when that will not happen any more.
    pub async fn opened(&self) -> bool {
        let index = &self.shared.index;
        (index.view().is_ok() || index.wait_ready().await) && index.wait_folded(self.roster_seq.load(Ordering::Relaxed)).await
    }

    /// Whether there was room for the last event.
    pub fn note_room(&self, had_room: bool) {
        self.had_room.store(had_room, Ordering::Relaxed);
    }

    /// Whether events are accepted, as far as the store goes.
    pub fn readiness(&self) -> Readiness {
        let journal = &self.shared.journal;
        if journal.is_poisoned() {
            return Readiness::Failed;
        }
        if self.shared.supervisor.is_stopping() {
            return Readiness::ShuttingDown;
        }
        match journal.room() {
            RoomLeft::Reserve => Readiness::NoRoom,
            // It may be full: whether it is, the last event found out.
            RoomLeft::ThisSegment if !self.had_room.load(Ordering::Relaxed) => Readiness::NoRoom,
            RoomLeft::ThisSegment | RoomLeft::Plenty => Readiness::Ready,
        }
    }

    /// A webhook was refused.
    pub fn count_refused(&self) {
        let hour = self.shared.clock.now().as_ms() / 3_600_000;
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        *refused.entry(hour).or_default() += 1;
        refused.retain(|then, _| then + REFUSED_HOURS > hour);
    }

    fn refused_24h(&self, now: Time) -> u64 {
        let hour = now.as_ms() / 3_600_000;
        let refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        refused.iter().filter(|(then, _)| **then + REFUSED_HOURS > hour).map(|(_, count)| count).sum()
    }

    fn view(&self) -> Result<View, DeskError> {
        let view = self.shared.index.view()?;
        Ok(match self.supposed.get() {
            Some(roster) => as_if(&view, roster)?,
            None => view,
        })
    }

    /// A connector of this name, whether still configured or not.
    fn connector(&self, view: &View, name: &str) -> Result<(ConnectorId, ConnectorRow), DeskError> {
        let unknown = || DeskError::Unknown { what: "connector", name: name.to_owned() };
        view.connectors()?.into_iter().find(|(_, row)| row.name == name).ok_or_else(unknown)
    }

    /// Reads an item's name; the product may be left out while there is only one.
    ///
    /// # Errors
    /// A text that names no item.
    pub fn item(&self, text: &str) -> Result<ItemId, DeskError> {
        Ok(ItemId::parse(text, self.only_product()?)?)
    }

    /// An item's name as people see it: with the product once two are known.
    fn item_name(only: Option<ProductId>, item: &ItemId) -> String {
        if only == Some(item.product()) { item.to_string() } else { item.qualified() }
    }

    fn only_product(&self) -> Result<Option<ProductId>, DeskError> {
        let mut known = self.shared.products.configured();
        if known.len() > 1 {
            return Ok(None);
        }
        if let Some(first) = self.view()?.meta()?.first_product.map(ProductId)
            && !known.contains(&first)
        {
            known.push(first);
        }
        Ok(match known.as_slice() {
            [only] => Some(*only),
            _ => None,
        })
    }
}
