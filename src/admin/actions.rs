//! Decisions: retry, drop, pause, resume, and what happens to connectors as a whole. Each is one record.

use serde::{Deserialize, Serialize};
use sleeksync_connectors::contract::Failure;

use super::{Desk, DeskError};
use crate::journal::Room;
use crate::record::{Dropped, Forgotten, Halt, Halted, Moved, Record, Reset, Retried};

/// Parked deliveries retried by one `retry --all`.
const RETRY_ALL_MAX: usize = 100_000;

/// What a person decided.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, tag = "decision", rename_all = "snake_case")]
pub enum Decision {
    /// Try a parked delivery again.
    Retry {
        /// Its number.
        id: u64,
    },
    /// Try all parked deliveries again.
    RetryAll {},
    /// Give a parked delivery up.
    Drop {
        /// Its number.
        id: u64,
        /// Why.
        why: String,
    },
    /// Start nothing more; the queue keeps filling.
    Pause {
        /// Which connector.
        connector: String,
    },
    /// Go on.
    Resume {
        /// Which connector.
        connector: String,
        /// Let everything that is owed through the brake.
        #[serde(default)]
        all: bool,
    },
    /// Give a connector another name or its new scope, keeping its links.
    Move {
        /// Its name up to now.
        from: String,
        /// Its name from now on; may be the same.
        to: String,
    },
    /// Forget a connector's links and start now.
    Reset {
        /// Which connector.
        connector: String,
    },
    /// Drop the queue of a connector that is no longer configured.
    DropQueue {
        /// Which connector.
        connector: String,
    },
}

/// What came of it.
#[derive(Debug, Serialize)]
pub struct Done {
    /// What was done, for people.
    pub message: String,
    /// How many deliveries it was about.
    pub count: u64,
}

impl Desk {
    /// Writes a decision down, and answers once the index knows it.
    ///
    /// # Errors
    /// An unknown number or name, or what makes no sense now.
    pub async fn decide(&self, decision: &Decision) -> Result<Done, DeskError> {
        let (records, message) = self.records_of(decision)?;
        let count = records.len() as u64;
        for group in records.chunks(1000) {
            let seq = self.shared.append(group, Room::Normal).await?;
            self.shared.index.wait_folded(seq.0).await;
        }
        if let Decision::Resume { connector, .. } = decision
            && let Some(assignment) = self.staff().get(connector)
        {
            assignment.health.clear();
            let (id, _) = self.connector(&self.view()?, connector)?;
            self.shared.index.bell(id).notify_one();
        }
        Ok(Done { message, count })
    }

    fn records_of(&self, decision: &Decision) -> Result<(Vec<Record>, String), DeskError> {
        let (view, at) = (self.view()?, self.shared.clock.now());
        let known = |id: u64| match view.parked(id)? {
            Some(_) => Ok(id),
            None => Err(DeskError::Unknown { what: "parked delivery", name: id.to_string() }),
        };
        let one = |record, message: String| Ok((vec![record], message));
        match decision {
            Decision::Retry { id } => one(Record::Retried(Retried { id: known(*id)?, at }), format!("{id} is tried again")),
            Decision::RetryAll {} => {
                let parked = view.all_parked(None, RETRY_ALL_MAX)?;
                let records: Vec<_> = parked.iter().map(|row| Record::Retried(Retried { id: row.duty.id, at })).collect();
                let message = format!("{} parked deliveries are tried again", records.len());
                Ok((records, message))
            }
            Decision::Drop { id, why } => {
                if why.trim().is_empty() {
                    return Err(DeskError::Invalid { message: "say why it is dropped: `--why TEXT`".to_owned() });
                }
                one(Record::Dropped(Dropped { id: known(*id)?, why: why.clone(), at }), format!("{id} is dropped"))
            }
            Decision::Pause { connector } => {
                let (id, _) = self.connector(&view, connector)?;
                let why = "paused by a person".to_owned();
                one(
                    Record::Halted(Halted { connector: id, halt: Halt::Paused, why, at, all: false }),
                    format!("{connector} is paused; its queue keeps filling"),
                )
            }
            Decision::Resume { connector, all } => {
                let (id, _) = self.connector(&view, connector)?;
                one(
                    Record::Halted(Halted { connector: id, halt: Halt::No, why: String::new(), at, all: *all }),
                    format!("{connector} goes on"),
                )
            }
            Decision::Move { from, to } => self.move_record(from, to),
            Decision::Reset { connector } => {
                let (id, row) = self.connector(&view, connector)?;
                let scope = row.moved_to.unwrap_or(row.scope);
                one(Record::Reset(Reset { connector: id, scope, at }), format!("{connector} has forgotten its links and starts now"))
            }
            Decision::DropQueue { connector } => {
                let (id, row) = self.connector(&view, connector)?;
                if !row.removed {
                    let message = format!(
                        "{connector} is still configured; take it out of the configuration first, or use `connector reset {connector}`"
                    );
                    return Err(DeskError::Invalid { message });
                }
                let message = format!("the {} deliveries {connector} owed are dropped", row.queued + row.parked);
                one(Record::Forgotten(Forgotten { connector: id }), message)
            }
        }
    }

    fn move_record(&self, from: &str, to: &str) -> Result<(Vec<Record>, String), DeskError> {
        let view = self.view()?;
        let (id, row) = self.connector(&view, from)?;
        let mut scope = row.moved_to.clone().unwrap_or_else(|| row.scope.clone());
        if from != to {
            if !row.removed {
                return Err(DeskError::Invalid {
                    message: format!("{from} is still configured; give it the name {to} in the configuration first, reload, then move"),
                });
            }
            let (holder, target) = self.connector(&view, to).map_err(|_| DeskError::Invalid {
                message: format!("no connector is named {to}; write it into the configuration first, then move"),
            })?;
            if target.kind != row.kind {
                return Err(DeskError::Invalid { message: format!("{from} is of kind {}, {to} of kind {}", row.kind, target.kind) });
            }
            if !view.links(holder, None, 1)?.is_empty() {
                return Err(DeskError::Invalid {
                    message: format!("{to} has links of its own already; `connector reset {to}` forgets them"),
                });
            }
            scope = target.scope;
        }
        Ok((
            vec![Record::Moved(Moved { connector: id, name: to.to_owned(), scope })],
            format!("{to} has the links and the queue of {from}"),
        ))
    }

    /// Proves a connector's credentials; a passing check ends `unauthorized` and `down`.
    ///
    /// # Errors
    /// An unknown name.
    pub async fn check(&self, name: &str) -> Result<Result<(), Failure>, DeskError> {
        let staff = self.staff();
        let assignment = staff.get(name).ok_or_else(|| DeskError::Unknown { what: "connector", name: name.to_owned() })?;
        let result = assignment.proved(&self.shared).await;
        if result.is_ok() {
            assignment.health.clear();
            let (id, _) = self.connector(&self.view()?, name)?;
            self.shared.index.bell(id).notify_one();
        }
        Ok(result)
    }
}
