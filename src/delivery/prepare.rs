//! From a delivery that is owed to what is to be done about it: reads what is known, asks the connector for a plan.

use std::collections::{BTreeSet, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use sleeksync_connectors::contract::{AnyPlan, Change, Event, For, Item, ItemId, Links, Plan, PlanError, Product, RemoteKey, Time};

use super::lane::{Lane, LaneError};
use super::run::Run;
use super::verdict::{Known, Steps, Verdict, is_new, judge, open_steps, planned_links};
use crate::index::row::{ConnectorRow, DutyRow, ItemRow, LinkRow, OpenPlan};
use crate::index::{Connectors, StoredItem, View};
use crate::record::{ParkClass, Parked, Record, Settled, SettledAs, Waiting, WaitingFor};
use crate::sleekplan::payload;

/// A wait that is already over is not taken at its word: it could go on for ever.
const WAIT_MIN: Duration = Duration::from_secs(1);
/// How long before an item was made its object may have been, by clocks that disagree.
const CLOCKS_DIFFER: Duration = Duration::from_secs(24 * 3600);

/// How often new objects are counted again because the index went on meanwhile; the last count stands.
const RECOUNTS_MAX: u32 = 8;

/// What is to be done about a delivery.
pub(super) enum Prepared {
    /// It ends, parks or waits, without a request.
    Settle(Vec<Record>),
    /// It would make one new object too many.
    Brake,
    /// These steps are to be tried.
    Run(Box<Prospect>),
}

/// A delivery that is to be tried.
pub(super) struct Prospect {
    pub run: Run,
    pub links: Links,
    pub key: RemoteKey,
}

/// Everything a plan is made from.
struct Facts<'a> {
    /// The last record that was folded before anything was read.
    seen: u64,
    row: ItemRow<&'a str>,
    item: Item,
    parent: Option<Item>,
    event: Option<Event>,
    product: Product,
    own: Vec<LinkRow>,
    links: Links,
    key: RemoteKey,
    connector: &'a ConnectorRow,
}

pub(super) fn prepare(lane: &Lane<'_>, view: &View, duty: &DutyRow, now: Time) -> Result<Prepared, LaneError> {
    let connectors = lane.shared.index.connectors()?;
    let stored = view.stored_item(&duty.key.item)?;
    let Some(facts) = stored.as_ref().map(|stored| gather(lane, view, duty, &connectors, stored)).transpose()?.flatten() else {
        return Ok(Prepared::Settle(vec![settled(duty, SettledAs::Skipped("nothing is known of its item any more".to_owned()), now)]));
    };
    match &duty.open {
        Some(open) => resume(lane, duty, open, facts, now),
        None => plan(lane, view, duty, facts, now),
    }
}

fn gather<'a>(
    lane: &Lane<'_>,
    view: &View,
    duty: &DutyRow,
    connectors: &'a Connectors,
    stored: &'a StoredItem,
) -> Result<Option<Facts<'a>>, LaneError> {
    let (id, row) = (&duty.key.item, stored.row()?);
    let Some(connector) = connectors.of(lane.connector) else { return Ok(None) };
    let event = match duty.key.event {
        None => None,
        Some(seq) => match event(lane, seq)? {
            None => return Ok(None),
            event => event,
        },
    };
    let item = row.to_item();
    let parent = item.origin().map(|parent| view.item(&parent)).transpose()?.flatten();
    let own = view.links_of(lane.connector, id)?;
    let links = view.links_for(lane.connector, &connectors.rows, &item, &own)?;
    Ok(Some(Facts {
        seen: connectors.folded,
        row,
        parent,
        event,
        product: lane.shared.products.product(id.product()),
        links,
        own,
        item,
        key: lane.shared.key(&connector.scope, id),
        connector,
    }))
}

/// The event behind an announcement, from the journal: queues hold numbers, never bodies.
fn event(lane: &Lane<'_>, seq: u64) -> Result<Option<Event>, LaneError> {
    let Some(bytes) = lane.shared.journal.read_one(crate::journal::Seq(seq))? else { return Ok(None) };
    let Ok((Record::Event(record), body)) = Record::decode(&bytes) else { return Ok(None) };
    let Some(action) = record.action else { return Ok(None) };
    Ok(Some(Event { seq, action, at: record.at, data: payload::data(body, record.product) }))
}

fn resume(lane: &Lane<'_>, duty: &DutyRow, open: &OpenPlan, facts: Facts<'_>, now: Time) -> Result<Prepared, LaneError> {
    let bytes = lane.shared.journal.read_one(crate::journal::Seq(open.plan_seq))?;
    let plan = bytes.as_deref().and_then(|bytes| match Record::decode(bytes) {
        Ok((Record::Plan(plan), _)) => Some(plan),
        _ => None,
    });
    let Some(plan) = plan else {
        let class = if open.intent { ParkClass::OutcomeUnknown } else { ParkClass::Rejected };
        return Ok(Prepared::Settle(vec![parked(duty, class, "its plan cannot be read any more".to_owned(), now)]));
    };
    let run = Run::resumed(duty, open, plan, facts.links.own.is_empty(), lane.looks);
    Ok(Prepared::Run(Box::new(Prospect { run, links: facts.links, key: facts.key })))
}

fn plan(lane: &Lane<'_>, view: &View, duty: &DutyRow, facts: Facts<'_>, now: Time) -> Result<Prepared, LaneError> {
    let known = Known {
        duty,
        connector: facts.connector,
        row: &facts.row,
        item: &facts.item,
        event: facts.event.as_ref(),
        links: &facts.own,
        product: &facts.product,
        is_ours: lane.shared.products.is_ours(duty.key.item.product()),
    };
    let settle = |record| Ok(Prepared::Settle(vec![record]));
    match judge(&known, &lane.assignment.filter) {
        Verdict::Plan => {}
        Verdict::Skip(reason) => return settle(settled(duty, SettledAs::Skipped(reason.to_string()), now)),
        Verdict::Expression(message) => return settle(parked(duty, ParkClass::Expression, format!("`when` failed: {message}"), now)),
    }
    let is_history = !is_new(&known);
    let steps = match ask(lane, &facts, &planned_links(&facts.links, duty.again), is_history, now) {
        Err(error) => return settle(parked(duty, ParkClass::Expression, error.to_string(), now)),
        Ok(None) => return settle(parked(duty, ParkClass::Rejected, "the connector panicked while planning".to_owned(), now)),
        Ok(Some(Plan::Skip(reason))) => return settle(settled(duty, SettledAs::Skipped(reason.to_string()), now)),
        Ok(Some(Plan::Wait(what))) => {
            let what = match what {
                For::Link(item) => WaitingFor::Link(item),
                For::Elapsed { since, duration } => WaitingFor::Until(since.plus(duration).max(now.plus(WAIT_MIN))),
            };
            return settle(Record::Waiting(Waiting { duty: duty.key.clone(), what, seen: facts.seen }));
        }
        Ok(Some(Plan::Run(steps))) => steps,
    };
    match open_steps(steps, &facts.links, duty.again, duty.key.event.is_some()) {
        Steps::Unchanged => settle(settled(duty, SettledAs::Delivered, now)),
        Steps::Run(steps) if lane.assignment.dry_run => {
            let names: Vec<String> = steps.iter().map(|step| step.name.to_string()).collect();
            settle(settled(duty, SettledAs::Skipped(format!("dry run: {}", names.join(", "))), now))
        }
        Steps::Run(steps) => {
            if facts.links.is_new() {
                // Held from the count to the entry: other lanes are planned at the same time.
                let mut making = lane.assignment.health.making();
                if is_braked(lane, view, duty, &making, now)? {
                    return Ok(Prepared::Brake);
                }
                making.insert(lane.lane.clone(), duty.key.item.clone());
            }
            let made = facts.row.made_received_at.unwrap_or(facts.row.received_at).min(facts.row.at);
            let look_first = facts.connector.look_first.then(|| made.minus(CLOCKS_DIFFER));
            let run = Run::fresh(duty, steps, &facts.links, look_first);
            Ok(Prepared::Run(Box::new(Prospect { run, links: facts.links, key: facts.key })))
        }
    }
}

/// The connector's plan; `None` when it panicked.
fn ask(lane: &Lane<'_>, facts: &Facts<'_>, links: &Links, is_history: bool, now: Time) -> Result<Option<AnyPlan>, PlanError> {
    let change = Change {
        item: &facts.item,
        parent: facts.parent.as_ref(),
        event: facts.event.as_ref(),
        product: &facts.product,
        key: &facts.key,
        at: now,
        is_history,
    };
    catch_unwind(AssertUnwindSafe(|| lane.assignment.connector.plan(&change, links))).ok().transpose()
}

/// Whether this would be one new object too many, with all that are about to be made.
fn is_braked(lane: &Lane<'_>, view: &View, duty: &DutyRow, making: &HashMap<ItemId, ItemId>, now: Time) -> Result<bool, LaneError> {
    let limit = u64::from(lane.assignment.max_creates_per_hour);
    if limit == 0 {
        return Ok(false);
    }
    let mut made = 0;
    for _ in 0..RECOUNTS_MAX {
        // What is folded meanwhile would be counted twice, or not at all.
        let folded = view.meta()?.folded;
        let connector = view.connector(lane.connector)?.filter(|row| duty.id > row.unbraked_upto);
        let Some(connector) = connector else { return Ok(false) };
        made = new_objects(lane, view, &connector, making, now)?;
        if view.meta()?.folded == folded {
            break;
        }
    }
    Ok(made >= limit)
}

/// Objects made within the last hour, and those that open plans and lanes in flight are about to make.
fn new_objects(
    lane: &Lane<'_>,
    view: &View,
    connector: &ConnectorRow,
    making: &HashMap<ItemId, ItemId>,
    now: Time,
) -> Result<u64, LaneError> {
    let this_minute = u64::try_from(now.as_ms() / 60_000).unwrap_or(0);
    let recent: u64 = connector.creates.iter().filter(|(minute, _)| minute + 60 > this_minute).map(|(_, count)| u64::from(*count)).sum();
    let mut open: BTreeSet<ItemId> = view.creating(lane.connector, lane.assignment.max_creates_per_hour as usize)?.into_iter().collect();
    for item in making.values() {
        if view.links_of(lane.connector, item)?.is_empty() {
            open.insert(item.clone());
        }
    }
    Ok(recent + open.len() as u64)
}

fn settled(duty: &DutyRow, how: SettledAs, at: Time) -> Record {
    Record::Settled(Settled { duty: duty.key.clone(), upto: duty.target, how, at })
}

fn parked(duty: &DutyRow, class: ParkClass, reason: String, at: Time) -> Record {
    Record::Parked(Parked { duty: duty.key.clone(), class, reason, step: String::new(), part: None, at })
}
