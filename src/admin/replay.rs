//! Replay: delivers again from the latest state. Links make it an update, never a second object.

use serde::{Deserialize, Serialize};
use sleeksync_connectors::contract::{ItemId, Time};

use super::{Desk, DeskError};
use crate::index::View;
use crate::index::row::{ConnectorRow, ItemRow};
use crate::journal::{Room, Seq};
use crate::record::{Again, ConnectorId, DutyKey, EventRecord, EventStatus, Owed, Record};
use crate::sleekplan::{Arrival, Receipt};

/// Items read from the index at once, and deliveries made owed by one record.
const PAGE: usize = 256;

/// What is to be delivered again.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ReplayRequest {
    /// Whose.
    pub connector: String,
    /// Only this item.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<String>,
    /// Only what Sleekplan changed since this time, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// Only what was rendered with earlier settings.
    #[serde(default)]
    pub stale: bool,
    /// Items that are history to the connector may be made new.
    #[serde(default)]
    pub include_history: bool,
    /// Repeat announcements, with their first id.
    #[serde(default)]
    pub again: bool,
    /// Only count.
    #[serde(default)]
    pub dry_run: bool,
}

/// What is owed again.
#[derive(Debug, Serialize)]
pub struct ReplayAnswer {
    /// Events that were unrecognised when they came and are recognised now: they are (or would be) accepted, for all connectors.
    pub recognised: u64,
    /// Deliveries that are (or would be) owed again.
    pub count: u64,
    /// The first of them, as examples.
    pub items: Vec<String>,
    /// Items that have no object there and would get none: history, deleted, or left out by a setting.
    pub left_out: u64,
}

/// What of the items is owed again, and how many are left out.
type Mirrored = (Vec<DutyKey>, u64);

impl Desk {
    /// Makes items owed again.
    ///
    /// # Errors
    /// An unknown name, a time or item that is none, or the store cannot be used.
    pub async fn replay(&self, request: &ReplayRequest) -> Result<ReplayAnswer, DeskError> {
        let view = self.view()?;
        let (id, row) = self.connector(&view, &request.connector)?;
        let recognised = self.recognise(request.dry_run).await?;
        let item = request.item.as_deref().map(|text| self.item(text)).transpose()?;
        let since = request.since.as_deref().map(parse_time).transpose()?.unwrap_or(Time::ZERO);
        let (duties, left_out) = if row.every {
            (self.announcements(id, &row, item.as_ref(), since, request.again).await?, 0)
        } else {
            self.mirrored(&view, id, &row, item.as_ref(), since, request)?
        };
        let only = self.only_product()?;
        let items = duties.iter().take(20).map(|duty| Desk::item_name(only, &duty.item)).collect();
        let answer = ReplayAnswer { recognised, count: duties.len() as u64, items, left_out };
        if request.dry_run {
            return Ok(answer);
        }
        let mut last = Seq(0);
        for group in duties.chunks(PAGE) {
            let owed = Owed {
                duties: group.to_vec(),
                include_history: request.include_history,
                again: if request.stale { Again::Stale } else { Again::All },
                at: self.shared.clock.now(),
            };
            last = self.shared.append(&[Record::Owed(owed)], Room::Normal).await?;
        }
        self.shared.index.wait_folded(last.0).await;
        Ok(answer)
    }

    /// Reads again what was unrecognised: its product may be configured by now, or this release may know its action.
    async fn recognise(&self, dry_run: bool) -> Result<u64, DeskError> {
        let candidates = self
            .scan(|seq, event| {
                matches!(event.status, EventStatus::Unrecognised(_) | EventStatus::Unlisted).then_some((seq, event.received_at))
            })
            .await?;
        let (mut recognised, mut last) = (0, 0);
        for (seq, received_at) in candidates {
            let Some(bytes) = self.shared.journal.read_one(seq)? else { continue };
            let Ok((_, body)) = Record::decode(&bytes) else { continue };
            let arrival = Arrival::read(bytes.slice_ref(body), received_at, &self.shared.products);
            if arrival.event.status != EventStatus::Accepted || self.shared.duplicate_of(&arrival).is_some() {
                continue;
            }
            recognised += 1;
            if !dry_run && let Receipt::Accepted(seq) = self.shared.accept(arrival).await? {
                last = seq;
            }
        }
        self.shared.index.wait_folded(last).await;
        Ok(recognised)
    }

    /// What `pick` finds among all events, oldest first; read away from the threads that answer requests.
    async fn scan<T: Send + 'static>(&self, pick: impl Fn(Seq, &EventRecord) -> Option<T> + Send + 'static) -> Result<Vec<T>, DeskError> {
        let (answer, answered) = tokio::sync::oneshot::channel();
        let journal = std::sync::Arc::clone(&self.shared.journal);
        self.shared.supervisor.spawn_blocking(move || {
            let found = journal.read_from(Seq(1)).filter_map(|entry| {
                let (seq, bytes) = match entry {
                    Ok(entry) => entry,
                    Err(error) => return Some(Err(error)),
                };
                let Ok((Record::Event(event), _)) = Record::decode(&bytes) else { return None };
                pick(seq, &event).map(Ok)
            });
            // Nobody may wait any more.
            drop(answer.send(found.collect::<Result<Vec<T>, _>>()));
        });
        Ok(answered.await.map_err(|_| DeskError::Invalid { message: "the daemon is shutting down".to_owned() })??)
    }

    fn mirrored(
        &self,
        view: &View,
        id: ConnectorId,
        row: &ConnectorRow,
        item: Option<&ItemId>,
        since: Time,
        request: &ReplayRequest,
    ) -> Result<Mirrored, DeskError> {
        let (mut duties, mut left_out) = (Vec::new(), 0);
        let mut after: Option<ItemId> = None;
        loop {
            let page: Vec<ItemRow> = match item {
                Some(item) => view.item_row(item)?.into_iter().collect(),
                None => view.items(after.as_ref(), PAGE)?,
            };
            let Some(last) = page.last() else { break };
            after = Some(last.id.clone());
            for known in page {
                let wanted = row.items.contains(&known.id.kind()) && known.at >= since;
                let stale = !request.stale || self.is_stale(view, id, &request.connector, &known)?;
                if !wanted || !stale {
                    continue;
                }
                if self.is_left_out(view, id, row, &known, request.include_history)? {
                    left_out += 1;
                } else {
                    duties.push(DutyKey { connector: id, item: known.id, event: None });
                }
            }
            if item.is_some() {
                break;
            }
        }
        Ok((duties, left_out))
    }

    async fn announcements(
        &self,
        id: ConnectorId,
        row: &ConnectorRow,
        item: Option<&ItemId>,
        since: Time,
        again: bool,
    ) -> Result<Vec<DutyKey>, DeskError> {
        if !again {
            return Err(DeskError::Invalid { message: format!("{} announces events: `--again` repeats what it announced", row.name) });
        }
        let (kinds, item) = (row.items.clone(), item.cloned());
        self.scan(move |seq, event| {
            let about = event.item.as_ref().filter(|_| event.status == EventStatus::Accepted)?;
            let wanted = event.received_at >= since && kinds.contains(&about.kind()) && item.as_ref().is_none_or(|item| item == about);
            wanted.then(|| DutyKey { connector: id, item: about.clone(), event: Some(seq.0) })
        })
        .await
    }
}

fn parse_time(text: &str) -> Result<Time, DeskError> {
    let date = || text.parse::<jiff::civil::Date>().ok().and_then(|date| date.to_zoned(jiff::tz::TimeZone::UTC).ok());
    Time::parse_rfc3339(text)
        .ok()
        .or_else(|| date().map(|at| Time::from_ms(at.timestamp().as_millisecond())))
        .ok_or_else(|| DeskError::Invalid { message: format!("`{text}` is no time; expected 2026-01-31 or 2026-01-31T12:00:00Z") })
}
