//! Lists: events, queue, parked, links; newest first, a page at a time.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sleeksync_connectors::contract::{ItemId, ProductId};
use sleeksync_connectors::kit::text::terminal;

use super::{Desk, DeskError, Page};
use crate::index::View;
use crate::index::row::{ConnectorRow, DutyRow, LinkRow};
use crate::journal::Seq;
use crate::record::{ConnectorId, DutyKey, EventRecord, EventStatus, Record};
use crate::sleekplan::{json, payload};

/// Rows of a page where nothing is said.
const LIMIT_DEFAULT: usize = 50;
/// Rows of a page at most.
const LIMIT_MAX: usize = 1000;
/// Records looked at for one page of events; beyond it the page ends early and `next` goes on.
const EVENTS_SCAN: usize = 200_000;
/// Rows read from the index at once.
const ROWS_PAGE: usize = 1000;

/// Which rows of a list.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Query {
    /// Only this connector's.
    pub connector: Option<String>,
    /// Only this item's.
    pub item: Option<String>,
    /// So many at most.
    pub limit: Option<usize>,
    /// Only those numbered below.
    pub before: Option<u64>,
}

impl Query {
    fn limit(&self) -> usize {
        self.limit.unwrap_or(LIMIT_DEFAULT).clamp(1, LIMIT_MAX)
    }
}

/// One event of a list.
#[derive(Debug, Serialize)]
pub struct EventAnswer {
    /// Its number.
    pub seq: u64,
    /// When it arrived.
    pub received_at: String,
    /// Its workspace.
    pub product_id: Option<u64>,
    /// What happened; the word itself where it is no action that is known.
    pub action: Option<String>,
    /// To which item.
    pub item: Option<String>,
    /// accepted, stale, unrecognised or quarantined.
    pub status: &'static str,
    /// Why, where there is more to say.
    pub reason: Option<String>,
    /// Length of its body.
    pub bytes: usize,
}

impl Desk {
    /// Connectors to list, by the query's name or all.
    fn listed(&self, view: &View, query: &Query) -> Result<Vec<(ConnectorId, ConnectorRow)>, DeskError> {
        match &query.connector {
            Some(name) => Ok(vec![self.connector(view, name)?]),
            None => Ok(view.connectors()?),
        }
    }

    /// Events, newest first.
    ///
    /// # Errors
    /// An unknown name, or the store cannot be read.
    pub fn events(&self, query: &Query) -> Result<Page<EventAnswer>, DeskError> {
        let view = self.view()?;
        let item = query.item.as_deref().map(|text| self.item(text)).transpose()?;
        let kinds = match &query.connector {
            Some(name) => Some(self.connector(&view, name)?.1.items),
            None => None,
        };
        let only = self.only_product()?;
        let (mut rows, mut next) = (Vec::new(), None);
        for (looked, entry) in self.shared.journal.read_back(query.before.map(Seq)).enumerate() {
            let (seq, bytes) = entry?;
            let Ok((Record::Event(event), body)) = Record::decode(&bytes) else { continue };
            let wanted = item.as_ref().is_none_or(|item| event.item.as_ref() == Some(item))
                && kinds.as_ref().is_none_or(|kinds| event.item.as_ref().is_some_and(|item| kinds.contains(&item.kind())));
            if rows.len() >= query.limit() || looked >= EVENTS_SCAN {
                next = Some(seq.0 + 1);
                break;
            }
            if wanted {
                rows.push(event_answer(&view, only, seq.0, &event, body)?);
            }
        }
        Ok(Page { rows, next })
    }

    /// One event with its body and what became of it.
    ///
    /// # Errors
    /// There is no such event, or the store cannot be read.
    pub fn event(&self, seq: u64) -> Result<Value, DeskError> {
        let unknown = || DeskError::Unknown { what: "event", name: seq.to_string() };
        let bytes = self.shared.journal.read_one(Seq(seq))?.ok_or_else(unknown)?;
        let Ok((Record::Event(event), body)) = Record::decode(&bytes) else { return Err(unknown()) };
        let view = self.view()?;
        let mut answer = serde_json::to_value(event_answer(&view, self.only_product()?, seq, &event, body)?).unwrap_or_default();
        let deliveries = match (&event.item, &event.status) {
            (Some(item), EventStatus::Accepted) => self.deliveries(&view, seq, item)?,
            _ => Vec::new(),
        };
        if let Value::Object(answer) = &mut answer {
            match json::body(body) {
                Some(json) => answer.insert("body".to_owned(), json),
                None => answer.insert("raw".to_owned(), base64(body).into()),
            };
            answer.insert("deliveries".to_owned(), deliveries.into());
        }
        Ok(answer)
    }

    fn deliveries(&self, view: &View, seq: u64, item: &ItemId) -> Result<Vec<Value>, DeskError> {
        let mut answers = Vec::new();
        for (id, row) in view.connectors()? {
            if !row.items.contains(&item.kind()) {
                continue;
            }
            let key = DutyKey { connector: id, item: item.clone(), event: row.every.then_some(seq) };
            if let Some((state, reason)) = self.became(view, &key, seq, &row.name)? {
                answers.push(json!({"connector": row.name, "state": state, "reason": reason}));
            }
        }
        Ok(answers)
    }

    /// What became of an event at one connector.
    fn became(&self, view: &View, key: &DutyKey, seq: u64, name: &str) -> Result<Option<(&'static str, Option<String>)>, DeskError> {
        if let Some(parked) = view.parked_id(key)?.map(|id| view.parked(id)).transpose()?.flatten() {
            return Ok(Some(("parked", Some(parked.reason))));
        }
        if let Some((item, _)) = view.dormant(key)? {
            return Ok(Some(("waiting", Some(format!("until {item} has an object there")))));
        }
        let standing = view.standing(key)?;
        if standing.as_ref().is_none_or(|standing| standing.upto < seq)
            && let Some(duty) = view.duty(key)?
        {
            let reason = duty.last_error.as_ref().map(|error| error.message.clone());
            return Ok(Some((self.queue_state(view, name, &duty)?, reason)));
        }
        Ok(standing.filter(|standing| standing.upto >= seq).map(|standing| match standing.delivered {
            true => ("delivered", None),
            false => ("skipped", Some(standing.reason)),
        }))
    }

    fn queue_state(&self, view: &View, name: &str, duty: &DutyRow) -> Result<&'static str, DeskError> {
        let lane = duty.key.lane();
        if self.staff().get(name).is_some_and(|assignment| assignment.health.busy().contains(&lane)) {
            return Ok("in_flight");
        }
        let backing_off = view.lane(duty.key.connector, &lane)?.is_some_and(|lane| lane.backing_off) && duty.attempts > 0;
        Ok(if backing_off { "backing_off" } else { "waiting" })
    }

    /// Deliveries that are owed, newest first.
    ///
    /// # Errors
    /// An unknown name, or the store cannot be read.
    pub fn queue(&self, query: &Query) -> Result<Page<Value>, DeskError> {
        let view = self.view()?;
        let item = query.item.as_deref().map(|text| self.item(text)).transpose()?;
        let only = self.only_product()?;
        let mut newest = Newest::new(query);
        for (id, row) in self.listed(&view, query)? {
            let mut after = None;
            loop {
                let page = view.duties(id, after.as_ref(), ROWS_PAGE)?;
                let Some(last) = page.last() else { break };
                after = Some(last.key.clone());
                for duty in page {
                    if item.as_ref().is_none_or(|item| *item == duty.key.item) {
                        newest.offer(duty.id, (row.name.clone(), duty));
                    }
                }
            }
        }
        let (duties, next) = newest.finish();
        let rows = duties.into_iter().map(|(name, duty)| self.queue_answer(&view, only, &name, &duty)).collect::<Result<_, _>>()?;
        Ok(Page { rows, next })
    }

    fn queue_answer(&self, view: &View, only: Option<ProductId>, name: &str, duty: &DutyRow) -> Result<Value, DeskError> {
        let lane = view.lane(duty.key.connector, &duty.key.lane())?;
        Ok(json!({
            "id": duty.id,
            "connector": name,
            "item": Desk::item_name(only, &duty.key.item),
            "seq": duty.key.event.unwrap_or(duty.target),
            "state": self.queue_state(view, name, duty)?,
            "step": duty.open.as_ref().map(|open| open.step),
            "attempts": duty.attempts,
            "next_attempt_at": duty.wait_until.or(lane.map(|lane| lane.due)).map(|at| at.to_string()),
            "last_error": duty.last_error.as_ref().map(|error| error.message.clone()),
        }))
    }

    /// Parked deliveries, newest first.
    ///
    /// # Errors
    /// An unknown name, or the store cannot be read.
    pub fn parked(&self, query: &Query) -> Result<Page<Value>, DeskError> {
        let view = self.view()?;
        let item = query.item.as_deref().map(|text| self.item(text)).transpose()?;
        let names: BTreeMap<ConnectorId, String> = self.listed(&view, query)?.into_iter().map(|(id, row)| (id, row.name)).collect();
        let only = self.only_product()?;
        let (mut rows, mut before) = (Vec::new(), query.before);
        loop {
            let page = view.all_parked(before, ROWS_PAGE)?;
            let Some(last) = page.last() else { return Ok(Page { rows, next: None }) };
            before = Some(last.duty.id);
            for parked in page {
                let Some(name) = names.get(&parked.duty.key.connector) else { continue };
                if item.as_ref().is_some_and(|item| *item != parked.duty.key.item) {
                    continue;
                }
                if rows.len() >= query.limit() {
                    return Ok(Page { rows, next: Some(parked.duty.id + 1) });
                }
                rows.push(json!({
                    "id": parked.duty.id,
                    "connector": name,
                    "item": Desk::item_name(only, &parked.duty.key.item),
                    "seq": parked.duty.key.event.unwrap_or(parked.duty.target),
                    "step": parked.step,
                    "class": parked.class,
                    "reason": parked.reason,
                    "parked_at": parked.at.to_string(),
                }));
            }
        }
    }

    /// Links, newest first.
    ///
    /// # Errors
    /// An unknown name, or the store cannot be read.
    pub fn links(&self, query: &Query) -> Result<Page<Value>, DeskError> {
        let view = self.view()?;
        let item = query.item.as_deref().map(|text| self.item(text)).transpose()?;
        let only = self.only_product()?;
        let mut newest = Newest::new(query);
        for (id, row) in self.listed(&view, query)? {
            let mut after: Option<LinkRow> = None;
            loop {
                let page = view.links(id, after.as_ref(), ROWS_PAGE)?;
                let Some(last) = page.last() else { break };
                after = Some(last.clone());
                for link in page {
                    if item.as_ref().is_none_or(|item| *item == link.item) {
                        newest.offer(link.seq, (row.name.clone(), link));
                    }
                }
            }
        }
        let (links, next) = newest.finish();
        let rows = links
            .into_iter()
            .map(|(name, link)| {
                json!({
                    "connector": name,
                    "item": Desk::item_name(only, &link.item),
                    "part": link.part,
                    "remote_id": link.remote.as_ref().map(|remote| remote.id.clone()),
                    "url": link.remote.as_ref().and_then(|remote| remote.url.clone()),
                    "updated_at": link.at.to_string(),
                })
            })
            .collect();
        Ok(Page { rows, next })
    }
}

/// Keeps the newest rows of many, by a number that no two of them share: the next page begins below the last one's.
struct Newest<T> {
    limit: usize,
    before: u64,
    rows: BTreeMap<u64, T>,
    left_out: bool,
}

impl<T> Newest<T> {
    fn new(query: &Query) -> Self {
        Self { limit: query.limit(), before: query.before.unwrap_or(u64::MAX), rows: BTreeMap::new(), left_out: false }
    }

    fn offer(&mut self, number: u64, row: T) {
        if number >= self.before {
            return;
        }
        self.rows.insert(number, row);
        if self.rows.len() > self.limit {
            self.rows.pop_first();
            self.left_out = true;
        }
    }

    fn finish(self) -> (Vec<T>, Option<u64>) {
        let next = self.rows.first_key_value().filter(|_| self.left_out).map(|(number, _)| *number);
        (self.rows.into_values().rev().collect(), next)
    }
}

fn event_answer(view: &View, only: Option<ProductId>, seq: u64, event: &EventRecord, body: &[u8]) -> Result<EventAnswer, DeskError> {
    let stale = view.stale(seq)?;
    let reason = match (&event.status, &stale) {
        (EventStatus::Unrecognised(reason), _) => Some(reason.clone()),
        (EventStatus::Unlisted, _) => event.product.map(|product| format!("product {product} is not configured; add it under [products]")),
        (_, Some(stale)) => Some(format!("event {} is newer", stale.won_by)),
        _ => None,
    };
    Ok(EventAnswer {
        seq,
        received_at: event.received_at.to_string(),
        product_id: event.product.map(|product| product.0),
        action: event.action.map_or_else(|| word(body), |action| Some(action.to_string())),
        item: event.item.as_ref().map(|item| Desk::item_name(only, item)),
        status: if stale.is_some() { "stale" } else { event.status.as_str() },
        reason,
        bytes: body.len(),
    })
}

/// The action as a body names it, inert on a terminal. Its length is bounded by [`payload::decode`].
fn word(body: &[u8]) -> Option<String> {
    let word = match payload::decode(body).ok()?.action {
        Ok(action) => action.to_string(),
        Err(word) => terminal(&word),
    };
    Some(word).filter(|word| !word.is_empty())
}

/// Standard base64 (RFC 4648), for bodies that are no JSON.
fn base64(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}
