//! What is to be done about a delivery before its connector is asked: pure decisions over what the index and the configuration say.

use std::borrow::Cow;
use std::collections::BTreeMap;

use sleeksync_connectors::contract::{
    Action, AnyPlan, AnyStep, Effect, Event, For, Item, ItemKind, Links, Plan, Product, Reason, Repeat, Time,
};
use sleeksync_connectors::kit::template::Expression;

use crate::index::row::{ConnectorRow, DutyRow, ItemRow, LinkRow};
use crate::record::Again;

/// What the configuration says about which items a connector takes.
#[derive(Debug, Default)]
pub struct Filter {
    /// Names of products; `None` for all.
    pub products: Option<Vec<String>>,
    /// Events that may make something new; `None` for all.
    pub events: Option<Vec<Action>>,
    /// Conditions by kind of item.
    pub when: BTreeMap<ItemKind, Expression>,
    /// Whether it also keeps what was deleted before it was sent (databases).
    pub keeps_deleted: bool,
}

/// What is known about the item of a delivery.
#[derive(Clone, Copy)]
pub struct Known<'a, Text = String> {
    /// The delivery.
    pub duty: &'a DutyRow,
    /// Its connector.
    pub connector: &'a ConnectorRow,
    /// The item's row.
    pub row: &'a ItemRow<Text>,
    /// The same as connectors see it.
    pub item: &'a Item,
    /// The event, for those that announce.
    pub event: Option<&'a Event>,
    /// The item's own links.
    pub links: &'a [LinkRow],
    /// Its workspace.
    pub product: &'a Product,
    /// Whether that is still configured.
    pub is_ours: bool,
}

/// What follows.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The connector is to plan it.
    Plan,
    /// It is not to be sent, for this reason.
    Skip(Reason),
    /// A `when` failed on it.
    Expression(String),
}

/// Whether a delivery may reach its connector.
pub fn judge<Text>(known: &Known<'_, Text>, filter: &Filter) -> Verdict {
    let skip = |text: &'static str| Verdict::Skip(Reason::new(text));
    if !known.is_ours {
        return skip("its product is not configured");
    }
    if filter.products.as_ref().is_some_and(|names| !names.contains(&known.product.name)) {
        return skip("its product is not among this connector's");
    }
    match known.links.iter().find(|link| link.lost) {
        Some(LinkRow { remote: Some(_), .. }) => return skip("its object was deleted at the service; `replay` makes a new one"),
        Some(_) => return skip("regarded as done by a person"),
        None => {}
    }
    // What has a link keeps following its item, whatever `events`, `when` and `since` say now.
    if !known.links.is_empty() && known.event.is_none() {
        return Verdict::Plan;
    }
    if known.item.deleted && known.event.is_none() {
        match (filter.keeps_deleted, known.item.id.kind()) {
            (false, _) => return skip("deleted before it was sent"),
            // Who was deleted is taken out of all that is kept, whatever else is wanted of people.
            (true, ItemKind::User) => return Verdict::Plan,
            (true, _) => {}
        }
    }
    if let Some(events) = &filter.events {
        let allowed = events.iter().fold(0, |bits, action| bits | action.bit());
        // An event that is announced again was never one of the events that raised this delivery: it says itself what it is.
        let actions = known.event.map_or(known.duty.actions, |event| event.action.bit());
        if actions != 0 && actions & allowed == 0 {
            return skip("none of its events is among this connector's `events`");
        }
    }
    if known.event.is_none() && !known.duty.include_history && !is_new(known) {
        return skip("history: older than this connector");
    }
    holds(known, filter)
}

fn holds<Text>(known: &Known<'_, Text>, filter: &Filter) -> Verdict {
    match filter.when.get(&known.item.id.kind()).map(|when| when.holds(known.item, known.product)) {
        None | Some(Ok(true)) => Verdict::Plan,
        Some(Ok(false)) => Verdict::Skip(Reason::new("`when` is false")),
        Some(Err(message)) => Verdict::Expression(message),
    }
}

/// New is what was made, or seen to turn public, or is dated, after the connector's start. Anything else is history.
///
/// What was made, or was published, while the connector was switched off was missed, and nothing missed is created.
pub fn is_new<Text>(known: &Known<'_, Text>) -> bool {
    let Known { connector, row, item, product, .. } = known;
    let missed = |at: Time| connector.gaps.iter().any(|(from, to)| *from <= at && at < *to);
    // `since = "all"`: nothing is history, neither for want of a date nor for one that Sleekplan never had.
    let takes_all = connector.start == Time::ZERO;
    let counts = |at: Time| (takes_all || at >= connector.start) && !missed(at);
    // Of most items it need not be known: their fields stay unread.
    let created = || item.fields.some_text("created").and_then(|text| product.time(&text));
    let turned_public = row.turned_public_at.filter(|_| item.is_public());
    match (turned_public, row.made_received_at) {
        (Some(at), _) if missed(at) => false,
        (Some(at), _) if counts(at) => true,
        (_, Some(at)) if missed(at) => false,
        (_, None) if created().is_none() => takes_all,
        (_, made) => made.is_some_and(counts) || created().is_some_and(counts),
    }
}

/// The steps of a plan that are to be tried; the engine's answer where there are none.
#[derive(Debug)]
pub enum Steps {
    /// These.
    Run(Vec<AnyStep>),
    /// Everything stands as wanted.
    Unchanged,
}

/// Leaves out what already stands as wanted, `again` excepted. What leaves no trace in the links is done with something that does, or by itself
/// where it `announces` an event: that is owed once, and done by being sent.
pub fn open_steps(steps: Vec<AnyStep>, links: &Links, again: Option<Again>, announces: bool) -> Steps {
    let open: Vec<AnyStep> = steps.into_iter().filter(|step| is_open(step, links, again)).collect();
    if is_nothing(open.iter().map(|step| &step.effect), announces) { Steps::Unchanged } else { Steps::Run(open) }
}

fn is_nothing<'a>(mut effects: impl ExactSizeIterator<Item = &'a Effect>, announces: bool) -> bool {
    if announces { effects.len() == 0 } else { effects.all(|effect| *effect == Effect::None) }
}

fn is_open(step: &AnyStep, links: &Links, again: Option<Again>) -> bool {
    let known = links.own.get(&step.part);
    match &step.effect {
        Effect::None => true,
        Effect::Unlink => known.is_some(),
        Effect::Link { content, rendering } => known.is_none_or(|link| {
            // Another rendering of the same content sends nothing by itself.
            let is_wanted_again = match again {
                None => false,
                Some(Again::Stale) => link.rendering != Some(*rendering),
                // What must not be repeated, or makes an object, is not: there is one.
                Some(Again::All) => step.repeat == Repeat::Idempotent,
            };
            link.content != Some(*content) || is_wanted_again
        }),
    }
}

/// The links a plan for a delivery looks at: where a person wants everything again, nothing is known to stand as it was last written.
pub fn planned_links(links: &Links, again: Option<Again>) -> Cow<'_, Links> {
    if again != Some(Again::All) {
        return Cow::Borrowed(links);
    }
    let mut links = links.clone();
    links.own.values_mut().for_each(|link| link.content = None);
    Cow::Owned(links)
}

/// The steps of a plan that would be tried, for a dry run; why there are none otherwise.
pub fn all_steps(plan: AnyPlan, links: &Links, announces: bool) -> Result<Vec<AnyStep>, String> {
    match plan {
        Plan::Run(steps) => {
            let open: Vec<AnyStep> = steps.into_iter().filter(|step| is_open(step, links, None)).collect();
            if is_nothing(open.iter().map(|step| &step.effect), announces) { Err("unchanged".to_owned()) } else { Ok(open) }
        }
        Plan::Skip(reason) => Err(reason.to_string()),
        Plan::Wait(For::Link(item)) => Err(format!("it waits until {item} has an object")),
        Plan::Wait(For::Elapsed { since, duration }) => Err(format!("it waits until {}", since.plus(duration))),
    }
}

/// Whether a plan would send another rendering of what stands already.
pub fn renders_anew(plan: AnyPlan, links: &Links) -> bool {
    let Plan::Run(steps) = plan else { return false };
    steps.iter().any(|step| match (&step.effect, links.own.get(&step.part)) {
        (Effect::Link { rendering, .. }, Some(link)) => link.rendering != Some(*rendering),
        _ => false,
    })
}
