//! Dry runs: what would be sent for a body, an event or an item. Nothing is written or sent.

use serde_json::{Value, json};
use sleeksync_connectors::contract::{Change, Event, ItemId, RemoteKey};

use super::{Desk, DeskError};
use crate::delivery::{Assignment, Known, Verdict, all_steps, is_new, judge};
use crate::index::row::{ConnectorRow, DutyRow, ItemRow};
use crate::index::{Speculation, View};
use crate::record::{ConnectorId, DutyKey, EventRecord, EventStatus};
use crate::sleekplan::payload;

/// What is planned for.
pub enum Subject {
    /// A webhook body that was never accepted.
    Body(Vec<u8>),
    /// An event of the journal.
    Event(u64),
    /// An item as it stands.
    Item(ItemId),
}

/// One item to plan for: its state, and the event that is announced.
struct Prospect {
    row: ItemRow,
    event: Option<Event>,
}

impl Desk {
    /// The requests that would be made, per connector.
    ///
    /// # Errors
    /// A body that is no webhook, an unknown event, item or connector.
    pub fn plans(&self, subject: &Subject, connector: Option<&str>) -> Result<Value, DeskError> {
        let view = self.view()?;
        if let Some(name) = connector
            && !self.staff().contains_key(name)
        {
            return Err(DeskError::Unknown { what: "connector", name: name.to_owned() });
        }
        let (speculation, prospects) = self.prospects(&view, subject)?;
        let mut plans = Vec::new();
        let rows = view.connectors()?;
        for (name, assignment) in self.staff().iter().filter(|(name, _)| connector.is_none_or(|wanted| wanted == *name)) {
            let Some((id, row)) = rows.iter().find(|(_, row)| row.name == *name) else { continue };
            for prospect in prospects.iter().filter(|prospect| row.items.contains(&prospect.row.id.kind())) {
                plans.push(self.plan_one(&view, &speculation, *id, row, assignment, prospect)?);
            }
        }
        Ok(json!({ "plans": plans }))
    }

    fn prospects(&self, view: &View, subject: &Subject) -> Result<(Speculation, Vec<Prospect>), DeskError> {
        let (record, body) = match subject {
            Subject::Item(item) => {
                let row = view.item_row(item)?.ok_or_else(|| DeskError::Unknown { what: "item", name: item.to_string() })?;
                return Ok((Speculation::none(view), vec![Prospect { row, event: None }]));
            }
            Subject::Event(seq) => self.event_record(*seq)?,
            Subject::Body(body) => (self.arrival(body)?, body.clone()),
        };
        let (Some(action), Some(_)) = (record.action, &record.item) else {
            return Err(DeskError::Invalid { message: format!("the event was not understood ({})", record.status.as_str()) });
        };
        let seq = match subject {
            Subject::Event(seq) => *seq,
            _ => view.meta()?.folded + 1,
        };
        let speculation = Speculation::with_event(view, &record, &body)?;
        let decoded = payload::decode(&body).map_err(|_| DeskError::Invalid { message: "the body is not JSON".to_owned() })?;
        let mut prospects = Vec::new();
        for target in &decoded.targets {
            let Some(row) = speculation.item_row(&target.item)? else { continue };
            let main = Some(&target.item) == record.item.as_ref();
            let data = main.then(|| payload::data(&body, record.product));
            prospects.push(Prospect { row, event: data.map(|data| Event { seq, action, at: record.at, data }) });
        }
        Ok((speculation, prospects))
    }

    fn event_record(&self, seq: u64) -> Result<(EventRecord, Vec<u8>), DeskError> {
        let unknown = || DeskError::Unknown { what: "event", name: seq.to_string() };
        let bytes = self.shared.journal.read_one(crate::journal::Seq(seq))?.ok_or_else(unknown)?;
        match crate::record::Record::decode(&bytes) {
            Ok((crate::record::Record::Event(event), body)) => Ok((event, body.to_vec())),
            _ => Err(unknown()),
        }
    }

    /// A body as it would be recorded if it arrived now.
    fn arrival(&self, body: &[u8]) -> Result<EventRecord, DeskError> {
        let now = self.shared.clock.now();
        let decoded = payload::decode(body).map_err(|_| DeskError::Invalid { message: "the body is not JSON".to_owned() })?;
        match payload::shape(&decoded) {
            payload::Shape::Recognised { product, action, item } => Ok(EventRecord {
                received_at: now,
                at: payload::effective(decoded.sent_at, now),
                status: EventStatus::Accepted,
                product: Some(product),
                action: Some(action),
                item: Some(item),
                mark: None,
            }),
            payload::Shape::Unrecognised { reason } => {
                Err(DeskError::Invalid { message: format!("it would be kept as unrecognised: {reason}") })
            }
        }
    }

    fn plan_one(
        &self,
        view: &View,
        speculation: &Speculation,
        id: ConnectorId,
        connector: &ConnectorRow,
        assignment: &Assignment,
        prospect: &Prospect,
    ) -> Result<Value, DeskError> {
        let item = prospect.row.to_item();
        let event = prospect.event.as_ref().filter(|_| connector.every);
        let name = Desk::item_name(self.only_product()?, &item.id);
        let shown =
            |skip: Option<String>, steps: Vec<Value>| json!({"connector": connector.name, "item": name, "skip": skip, "steps": steps});
        if connector.every && event.is_none() {
            return Ok(shown(Some("it announces events, and there is none".to_owned()), Vec::new()));
        }
        let product = self.shared.products.product(item.id.product());
        let key = DutyKey { connector: id, item: item.id.clone(), event: event.map(|event| event.seq) };
        let duty = duty_of(&key, &prospect.row, prospect.event.as_ref());
        let own = view.links_of(id, &item.id)?;
        let is_ours = self.shared.products.is_ours(item.id.product());
        let known = Known { duty: &duty, connector, row: &prospect.row, item: &item, event, links: &own, product: &product, is_ours };
        match judge(&known, &assignment.filter) {
            Verdict::Plan => {}
            Verdict::Skip(reason) => return Ok(shown(Some(reason.to_string()), Vec::new())),
            Verdict::Expression(message) => return Ok(shown(Some(format!("it would be parked: `when` failed: {message}")), Vec::new())),
        }
        let links = view.links_for(id, &view.connectors()?, &item, &own)?;
        let parent = item.origin().map(|parent| speculation.item_row(&parent)).transpose()?.flatten().map(|row| row.to_item());
        let remote_key: RemoteKey = self.shared.key(&connector.scope, &item.id);
        let change = Change {
            item: &item,
            parent: parent.as_ref(),
            event,
            product: &product,
            key: &remote_key,
            at: self.shared.clock.now(),
            is_history: !is_new(&known),
        };
        let planned = match assignment.connector.plan(&change, &links) {
            Err(error) => Err(format!("it would be parked: {error}")),
            Ok(plan) => all_steps(plan, &links, change.event.is_some()),
        };
        let steps = match planned {
            Ok(steps) => steps,
            Err(reason) => return Ok(shown(Some(reason), Vec::new())),
        };
        let mut requests = Vec::new();
        for step in &steps {
            let repeat = format!("{:?}", step.repeat).split(['(', ' ']).next().unwrap_or_default().to_lowercase();
            for preview in assignment.connector.preview(&step.op, &links).unwrap_or_default() {
                let mut request = serde_json::to_value(preview).unwrap_or_default();
                if let Value::Object(request) = &mut request {
                    request.insert("name".to_owned(), step.name.to_string().into());
                    request.insert("repeat".to_owned(), repeat.clone().into());
                }
                requests.push(request);
            }
        }
        Ok(shown(None, requests))
    }

    /// Whether an item has no object at a connector, and would get none if it were delivered again.
    pub(super) fn is_left_out(
        &self,
        view: &View,
        id: ConnectorId,
        connector: &ConnectorRow,
        row: &ItemRow,
        include_history: bool,
    ) -> Result<bool, DeskError> {
        let own = view.links_of(id, &row.id)?;
        let staff = self.staff();
        // What is no longer configured has no `when` to ask.
        let Some(assignment) = staff.get(&connector.name).filter(|_| own.is_empty()) else { return Ok(false) };
        let key = DutyKey { connector: id, item: row.id.clone(), event: None };
        let duty = DutyRow { include_history, ..duty_of(&key, row, None) };
        let (item, product) = (row.to_item(), self.shared.products.product(row.id.product()));
        let is_ours = self.shared.products.is_ours(row.id.product());
        let known = Known { duty: &duty, connector, row, item: &item, event: None, links: &own, product: &product, is_ours };
        Ok(matches!(judge(&known, &assignment.filter), Verdict::Skip(_)))
    }

    /// Whether an item's links show what earlier settings made of it.
    pub(super) fn is_stale(&self, view: &View, id: ConnectorId, name: &str, row: &ItemRow) -> Result<bool, DeskError> {
        let staff = self.staff();
        let (Some(assignment), Some(connector)) = (staff.get(name), view.connector(id)?) else { return Ok(false) };
        let item = row.to_item();
        let links = view.links_for(id, &view.connectors()?, &item, &view.links_of(id, &item.id)?)?;
        if links.own.is_empty() {
            return Ok(false);
        }
        let parent = item.origin().map(|parent| view.item(&parent)).transpose()?.flatten();
        let product = self.shared.products.product(item.id.product());
        let key = self.shared.key(&connector.scope, &item.id);
        let at = self.shared.clock.now();
        // History: what has a link is neither made nor mailed.
        let change = Change { item: &item, parent: parent.as_ref(), event: None, product: &product, key: &key, at, is_history: true };
        let Ok(plan) = assignment.connector.plan(&change, &links) else { return Ok(true) };
        Ok(crate::delivery::renders_anew(plan, &links))
    }
}

/// A delivery of an item or event as it would be owed.
fn duty_of(key: &DutyKey, row: &ItemRow, event: Option<&Event>) -> DutyRow {
    DutyRow {
        key: key.clone(),
        id: 0,
        target: row.seq,
        since: row.received_at,
        actions: event.map_or(0, |event| event.action.bit()),
        include_history: false,
        again: None,
        attempts: 0,
        failing_since: None,
        last_error: None,
        wait_until: None,
        open: None,
    }
}
