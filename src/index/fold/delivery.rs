//! Folding deliveries: plans, intents, outcomes, and how they end.

use sleeksync_connectors::contract::{Effect, ItemId, Part, RemoteRef, Time};

use super::Fold;
use super::lane::{LANE_HEAD_MAX, Raise};
use crate::index::key;
use crate::index::row::{DormantRow, DutyRow, ErrorRow, LinkRow, OpenPlan, ParkedRow, StandingRow};
use crate::index::rows::RowsError;
use crate::record::{
    Again, Attempt, ConnectorId, Dropped, DutyKey, Intent, LinkChange, LinkRecord, Outcome, Owed, ParkClass, Parked, PlanRecord, Retried,
    Settled, SettledAs, Waiting, WaitingFor,
};

/// How many parts of one item can have a link.
const PARTS_MAX: usize = 256;
/// Minutes for which new objects are counted: the brake looks at an hour.
const CREATES_MINUTES: u64 = 60;

impl Fold<'_> {
    pub(super) fn plan(&mut self, seq: u64, plan: &PlanRecord) -> Result<(), RowsError> {
        self.duty_mut(&plan.duty, |duty| {
            duty.open = Some(OpenPlan { plan_seq: seq, target: plan.target, step: 0, intent: false, first_intent_at: None });
        })?;
        let (connector, item) = (plan.duty.connector, &plan.duty.item);
        let links = self.rows.scan::<LinkRow>(&key::item_links(connector, item), PARTS_MAX)?;
        if links.iter().all(|(_, link)| link.part.outlives_object()) {
            self.rows.put(key::creating(connector, item), item)?;
        }
        Ok(())
    }

    pub(super) fn intent(&mut self, seq: u64, intent: &Intent) -> Result<(), RowsError> {
        self.duty_mut(&intent.duty, |duty| {
            if let Some(open) = &mut duty.open {
                if open.step != intent.step {
                    open.first_intent_at = None;
                }
                open.step = intent.step;
                open.intent = true;
                open.first_intent_at.get_or_insert(intent.at);
            }
        })?;
        // "Unchanged, skip" must never trust a write whose answer may be lost.
        let key = key::link(intent.duty.connector, &intent.duty.item, &intent.part);
        if let Some(mut link) = self.rows.get::<LinkRow>(&key)? {
            link.content = None;
            link.rendering = None;
            link.seq = seq;
            self.rows.put(key, &link)?;
        }
        Ok(())
    }

    pub(super) fn outcome(&mut self, seq: u64, outcome: &Outcome) -> Result<(), RowsError> {
        let duty = &outcome.duty;
        match &outcome.attempt {
            Attempt::Done { part, effect, remote, created } => {
                self.link_changed(seq, outcome, part, effect, remote.as_ref())?;
                self.duty_mut(duty, |row| {
                    row.attempts = 0;
                    row.failing_since = None;
                    if let Some(open) = &mut row.open {
                        open.step += 1;
                        open.intent = false;
                        open.first_intent_at = None;
                    }
                })?;
                if *created {
                    self.rows.remove(key::creating(duty.connector, &duty.item));
                }
                self.connector_mut(duty.connector, |row| {
                    row.last_success_at = row.last_success_at.max(Some(outcome.at));
                    if *created {
                        count_create(&mut row.creates, outcome.at);
                    }
                });
                Ok(())
            }
            Attempt::NotDone { class, message, retry_at } => {
                self.failed(outcome, class, message, false)?;
                self.reschedule(duty.connector, &duty.lane(), *retry_at, true)
            }
            Attempt::Unknown { message, retry_at } => {
                self.failed(outcome, "unknown", message, true)?;
                self.reschedule(duty.connector, &duty.lane(), *retry_at, true)
            }
            Attempt::Missing { part, recreate } => self.missing(seq, outcome, part, *recreate),
        }
    }

    fn failed(&mut self, outcome: &Outcome, class: &str, message: &str, still_open: bool) -> Result<(), RowsError> {
        let error = ErrorRow { at: outcome.at, class: class.to_owned(), message: message.to_owned(), item: outcome.duty.item.clone() };
        self.connector_mut(outcome.duty.connector, |row| row.last_error = Some(error.clone()));
        self.duty_mut(&outcome.duty, |row| {
            row.attempts = row.attempts.saturating_add(1);
            row.failing_since.get_or_insert(outcome.at);
            row.last_error = Some(error);
            if let Some(open) = &mut row.open {
                open.intent = still_open;
            }
        })?;
        Ok(())
    }

    fn missing(&mut self, seq: u64, outcome: &Outcome, part: &Part, recreate: bool) -> Result<(), RowsError> {
        let duty = &outcome.duty;
        for (raw, mut link) in self.rows.scan::<LinkRow>(&key::item_links(duty.connector, &duty.item), PARTS_MAX)? {
            if recreate {
                if !link.part.outlives_object() {
                    self.rows.remove(raw);
                }
            } else if link.part == *part {
                link.lost = true;
                link.content = None;
                link.seq = seq;
                self.rows.put(key::link(duty.connector, &duty.item, part), &link)?;
            }
        }
        self.duty_mut(duty, |row| row.open = None)?;
        self.rows.remove(key::creating(duty.connector, &duty.item));
        self.reschedule(duty.connector, &duty.lane(), outcome.at, false)
    }

    fn link_changed(
        &mut self,
        seq: u64,
        outcome: &Outcome,
        part: &Part,
        effect: &Effect,
        remote: Option<&RemoteRef>,
    ) -> Result<(), RowsError> {
        let duty = &outcome.duty;
        let key = key::link(duty.connector, &duty.item, part);
        match effect {
            Effect::None => Ok(()),
            Effect::Unlink => {
                self.rows.remove(key);
                Ok(())
            }
            Effect::Link { content, rendering } => {
                let known: Option<LinkRow> = self.rows.get(&key)?;
                let address = known.as_ref().and_then(LinkRow::url).map(str::to_owned);
                let row = LinkRow {
                    item: duty.item.clone(),
                    part: part.clone(),
                    remote: remote.cloned().or_else(|| known.and_then(|link| link.remote)),
                    content: Some(*content),
                    rendering: Some(*rendering),
                    at: outcome.at,
                    seq,
                    lost: false,
                };
                let is_new = row.url().is_some() && row.url() != address.as_deref();
                self.rows.put(key, &row)?;
                if is_new {
                    self.wake_waiting(duty.connector, &duty.item, outcome.at)?;
                }
                self.wake_dormant(duty.connector, &duty.item, outcome.at)
            }
        }
    }

    /// `connector` gave `item` an address: what other connectors wait with may be for it.
    fn wake_waiting(&mut self, connector: ConnectorId, item: &ItemId, at: Time) -> Result<(), RowsError> {
        let lane = item.lane();
        let others: Vec<ConnectorId> = self.connectors.iter().map(|(id, _)| *id).filter(|id| *id != connector).collect();
        for other in others {
            let mut woken = false;
            for (_, mut duty) in self.rows.scan::<DutyRow>(&key::lane_duties(other, &lane), LANE_HEAD_MAX)? {
                if duty.key.item == *item && duty.wait_until.take().is_some() {
                    self.rows.put(key::duty(&duty.key), &duty)?;
                    woken = true;
                }
            }
            if woken {
                self.schedule(other, &lane, at)?;
            }
        }
        Ok(())
    }

    /// Whether another connector gave `item` an address after record `seen`.
    fn has_new_address(&self, connector: ConnectorId, item: &ItemId, seen: u64) -> Result<bool, RowsError> {
        for (other, _) in self.connectors.iter().filter(|(id, _)| *id != connector) {
            let links = self.rows.scan::<LinkRow>(&key::item_links(*other, item), PARTS_MAX)?;
            if links.iter().any(|(_, link)| link.url().is_some() && link.seq > seen) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Children that waited for a link of `item` are owed from now on.
    fn wake_dormant(&mut self, connector: ConnectorId, item: &ItemId, at: Time) -> Result<(), RowsError> {
        for (raw, row) in self.rows.scan::<DormantRow>(&key::dormants_of(connector, item), usize::MAX)? {
            self.rows.remove(raw);
            self.rows.remove(key::dormant_of(&row.duty.key));
            self.requeue(row.duty, at)?;
        }
        Ok(())
    }

    pub(super) fn settled(&mut self, settled: &Settled) -> Result<(), RowsError> {
        let key = &settled.duty;
        let Some(mut duty) = self.rows.get::<DutyRow>(&key::duty(key))? else { return Ok(()) };
        self.plan_ended(&duty);
        duty.open = None;
        let (delivered, reason) = match &settled.how {
            SettledAs::Superseded => {
                self.rows.put(key::duty(key), &duty)?;
                return self.reschedule(key.connector, &key.lane(), settled.at, false);
            }
            SettledAs::Delivered => (true, String::new()),
            SettledAs::Skipped(reason) => (false, reason.clone()),
        };
        self.rows
            .put(key::standing(key), &StandingRow { event: key.event.is_some(), upto: settled.upto, delivered, reason, at: settled.at })?;
        let over = duty.target <= settled.upto;
        self.connector_mut(key.connector, |row| {
            row.queued = row.queued.saturating_sub(u64::from(over));
            row.delivered += u64::from(delivered);
            row.skipped += u64::from(!delivered);
        });
        if over {
            self.rows.remove(key::duty(key));
        } else {
            duty.attempts = 0;
            duty.failing_since = None;
            duty.again = None;
            duty.since = settled.at;
            self.rows.put(key::duty(key), &duty)?;
        }
        self.reschedule(key.connector, &key.lane(), settled.at, false)
    }

    pub(super) fn parked(&mut self, parked: &Parked) -> Result<(), RowsError> {
        let key = &parked.duty;
        let Some(duty) = self.rows.get::<DutyRow>(&key::duty(key))? else { return Ok(()) };
        self.rows.remove(key::duty(key));
        self.plan_ended(&duty);
        self.connector_mut(key.connector, |row| {
            row.queued = row.queued.saturating_sub(1);
            row.parked += 1;
        });
        let row = ParkedRow {
            class: parked.class,
            reason: parked.reason.clone(),
            step: parked.step.clone(),
            at: parked.at,
            part: parked.part.clone(),
            duty,
        };
        self.rows.put(key::parked_of(key), &row.duty.id)?;
        self.rows.put(key::parked(row.duty.id), &row)?;
        self.reschedule(key.connector, &key.lane(), parked.at, false)
    }

    pub(super) fn retried(&mut self, retried: &Retried) -> Result<(), RowsError> {
        let Some(mut parked) = self.rows.get::<ParkedRow>(&key::parked(retried.id))? else { return Ok(()) };
        if parked.class == ParkClass::TargetGone && self.forget_deleted(&parked.duty.key)? {
            // It was made once: whatever would keep it from being made for the first time does not count.
            parked.duty.include_history = true;
            parked.duty.actions = 0;
        }
        self.unpark(parked, retried.at)
    }

    /// Forgets the links of an item whose object was deleted at the service, so that it is made anew; says whether it was.
    ///
    /// A part without an object was not deleted there: a person regards it as done.
    fn forget_deleted(&mut self, duty: &DutyKey) -> Result<bool, RowsError> {
        let links = self.rows.scan::<LinkRow>(&key::item_links(duty.connector, &duty.item), PARTS_MAX)?;
        let was_deleted = links.iter().any(|(_, link)| link.lost && link.remote.is_some());
        if was_deleted {
            let made_anew = links.into_iter().filter(|(_, link)| !link.part.outlives_object());
            made_anew.for_each(|(raw, _)| self.rows.remove(raw));
        }
        Ok(was_deleted)
    }

    pub(super) fn dropped(&mut self, seq: u64, dropped: &Dropped) -> Result<(), RowsError> {
        let Some(parked) = self.rows.get::<ParkedRow>(&key::parked(dropped.id))? else { return Ok(()) };
        self.remove_parked(&parked);
        let key = &parked.duty.key;
        let reason = format!("dropped: {}", dropped.why);
        self.rows.put(
            key::standing(key),
            &StandingRow { event: key.event.is_some(), upto: parked.duty.target, delivered: false, reason, at: dropped.at },
        )?;
        self.connector_mut(key.connector, |row| row.skipped += 1);
        // Regarded as done: a part without an object, which no plan makes a second time. An event is announced by nothing but this delivery.
        if let (ParkClass::OutcomeUnknown, Some(part), None) = (parked.class, parked.part, key.event) {
            let link_key = key::link(key.connector, &key.item, &part);
            let known: Option<LinkRow> = self.rows.get(&link_key)?;
            let remote = known.and_then(|link| link.remote);
            let lost = remote.is_none();
            let row = LinkRow { item: key.item.clone(), part, remote, content: None, rendering: None, at: dropped.at, seq, lost };
            self.rows.put(link_key, &row)?;
        }
        Ok(())
    }

    pub(super) fn waiting(&mut self, waiting: &Waiting) -> Result<(), RowsError> {
        let key = &waiting.duty;
        let Some(mut duty) = self.rows.get::<DutyRow>(&key::duty(key))? else { return Ok(()) };
        let at = duty.since;
        match &waiting.what {
            WaitingFor::Until(until) => {
                let is_over = self.has_new_address(key.connector, &key.item, waiting.seen)?;
                duty.wait_until = (!is_over).then_some(*until);
                self.rows.put(key::duty(key), &duty)?;
            }
            WaitingFor::Link(for_item) => {
                self.rows.remove(key::duty(key));
                self.connector_mut(key.connector, |row| row.queued = row.queued.saturating_sub(1));
                self.rows.put(key::dormant_of(key), for_item)?;
                self.rows.put(key::dormant(key, for_item), &DormantRow { duty })?;
            }
        }
        self.reschedule(key.connector, &key.lane(), at, false)
    }

    pub(super) fn owed(&mut self, seq: u64, owed: &Owed) -> Result<(), RowsError> {
        for key in &owed.duties {
            let again = key.event.is_none().then_some(owed.again);
            let include_history = owed.include_history || (again == Some(Again::All) && self.forget_deleted(key)?);
            self.raise(key, &Raise { seq, at: owed.at, actions: 0, include_history, again })?;
        }
        Ok(())
    }

    pub(super) fn link_by_hand(&mut self, seq: u64, link: &LinkRecord) -> Result<(), RowsError> {
        let key = key::link(link.connector, &link.item, &link.part);
        match &link.change {
            LinkChange::Forget => {
                self.rows.remove(key);
                Ok(())
            }
            LinkChange::Set(remote) => {
                let row = LinkRow {
                    item: link.item.clone(),
                    part: link.part.clone(),
                    remote: Some(remote.clone()),
                    content: None,
                    rendering: None,
                    at: link.at,
                    seq,
                    lost: false,
                };
                self.rows.put(key, &row)?;
                self.wake_dormant(link.connector, &link.item, link.at)
            }
        }
    }

    /// Whatever its plan was to make: it no longer does.
    fn plan_ended(&mut self, duty: &DutyRow) {
        if duty.open.is_some() {
            self.rows.remove(key::creating(duty.key.connector, &duty.key.item));
        }
    }

    fn duty_mut(&mut self, key: &DutyKey, change: impl FnOnce(&mut DutyRow)) -> Result<(), RowsError> {
        let Some(known) = self.rows.get::<DutyRow>(&key::duty(key))? else { return Ok(()) };
        let mut row = known.clone();
        change(&mut row);
        if row != known {
            self.rows.put(key::duty(key), &row)?;
        }
        Ok(())
    }
}

fn count_create(creates: &mut Vec<(u64, u32)>, at: Time) {
    let minute = u64::try_from(at.as_ms() / 60_000).unwrap_or(0);
    match creates.last_mut() {
        Some((last, count)) if *last == minute => *count += 1,
        _ => creates.push((minute, 1)),
    }
    creates.retain(|(then, _)| then + CREATES_MINUTES > minute);
}

#[cfg(test)]
mod tests {
    use sleeksync_connectors::contract::{Action, Hash, ItemKind, ProductId, Scope};

    use super::*;
    use crate::index::rows::decode;
    use crate::index::testing::{Rows, fold_into};
    use crate::record::{DutyKey, EventRecord, EventStatus, Record, Roster, RosterEntry, Since};

    const BLOG: ConnectorId = ConnectorId(0);
    const CHAT: ConnectorId = ConnectorId(1);
    const LATER: Time = Time::from_ms(600_000);

    fn entry() -> ItemId {
        ItemId::top(ProductId(7), ItemKind::Changelog, "771").unwrap()
    }

    fn duty(connector: ConnectorId) -> DutyKey {
        DutyKey { connector, item: entry(), event: None }
    }

    fn roster(every: bool) -> Record {
        let connector = |name: &str| RosterEntry {
            name: name.to_owned(),
            kind: "sample".to_owned(),
            scope: Scope(name.to_owned()),
            every,
            items: vec![ItemKind::Changelog],
            enabled: true,
            since: Since::FirstRun,
        };
        Record::Roster(Roster { at: Time::ZERO, fold: super::super::VERSION, connectors: vec![connector("blog"), connector("chat")] })
    }

    fn published() -> (Record, &'static [u8]) {
        let event = EventRecord {
            received_at: Time::from_ms(1),
            at: Time::from_ms(1),
            status: EventStatus::Accepted,
            product: Some(ProductId(7)),
            action: Some(Action::ChangelogCreate),
            item: Some(entry()),
            mark: None,
        };
        (Record::Event(event), br#"{"product_id":7,"action":"changelog.create","data":{"changelog_id":"771"}}"#)
    }

    fn posted() -> Record {
        let remote = Some(RemoteRef { id: "5".to_owned(), url: Some("https://blog.example.com/5".to_owned()) });
        let effect = Effect::Link { content: Hash::of(b"a"), rendering: Hash::of(b"b") };
        let attempt = Attempt::Done { part: Part::new("post"), effect, remote, created: true };
        Record::Outcome(Outcome { duty: duty(BLOG), attempt, at: Time::from_ms(2) })
    }

    /// The parts that are known once a post that was mailed is missing, and made anew by the setting or by a person's `retry`.
    fn known_of_a_missing_post(recreate: bool) -> Vec<String> {
        let mut rows = Rows::new();
        fold_into(&mut rows, 1, &roster(false), b"");
        let (event, body) = published();
        fold_into(&mut rows, 2, &event, body);
        let id = decode::<DutyRow>(&rows[&*key::duty(&duty(BLOG))]).unwrap().id;
        let hash = Hash::of(b"a");
        let done = |part| Attempt::Done { part, effect: Effect::Link { content: hash, rendering: hash }, remote: None, created: false };
        let outcome = |attempt| Record::Outcome(Outcome { duty: duty(BLOG), attempt, at: Time::from_ms(3) });
        fold_into(&mut rows, 3, &posted(), b"");
        fold_into(&mut rows, 4, &outcome(done(Part::new("state"))), b"");
        fold_into(&mut rows, 5, &outcome(done(Part::MAILED)), b"");
        fold_into(&mut rows, 6, &outcome(Attempt::Missing { part: Part::new("post"), recreate }), b"");
        if !recreate {
            let (reason, step, part) = (String::new(), "update post".to_owned(), Some(Part::new("post")));
            let parked = Parked { duty: duty(BLOG), class: ParkClass::TargetGone, reason, step, part, at: Time::from_ms(4) };
            fold_into(&mut rows, 7, &Record::Parked(parked), b"");
            fold_into(&mut rows, 8, &Record::Retried(Retried { id, at: Time::from_ms(5) }), b"");
        }
        let prefix = key::item_links(BLOG, &entry());
        let links = rows.iter().filter(|(raw, _)| raw.starts_with(prefix.as_ref()));
        links.map(|(_, row)| decode::<LinkRow>(row).unwrap().part.to_string()).collect()
    }

    #[test]
    fn nobody_is_mailed_twice_because_the_object_is_made_again() {
        for recreate in [true, false] {
            assert_eq!(known_of_a_missing_post(recreate), ["mailed"], "recreate: {recreate}");
        }
    }

    fn waits(seen: u64) -> Record {
        Record::Waiting(Waiting { duty: duty(CHAT), what: WaitingFor::Until(LATER), seen })
    }

    /// Until when the chat waits after these records.
    fn waiting_until(records: &[Record]) -> Option<Time> {
        let mut rows = Rows::new();
        fold_into(&mut rows, 1, &roster(false), b"");
        let (event, body) = published();
        fold_into(&mut rows, 2, &event, body);
        for (seq, record) in (3..).zip(records) {
            fold_into(&mut rows, seq, record, b"");
        }
        decode::<DutyRow>(&rows[&*key::duty(&duty(CHAT))]).unwrap().wait_until
    }

    #[test]
    fn who_waits_is_woken_by_an_address_that_another_connector_gave_the_item() {
        assert_eq!(waiting_until(&[waits(2)]), Some(LATER));
        assert_eq!(waiting_until(&[waits(2), posted()]), None);
        // It was planned before the address was known, and written down after.
        assert_eq!(waiting_until(&[posted(), waits(2)]), None);
        // It knew the address, and waits for something else.
        assert_eq!(waiting_until(&[posted(), waits(3)]), Some(LATER));
    }
    /// Whether a part counts as made after the delivery that was to make it is dropped, its outcome unknown.
    fn counts_as_made(every: bool) -> bool {
        let (mut rows, part) = (Rows::new(), Part::new("message"));
        let duty = DutyKey { event: every.then_some(2), ..duty(CHAT) };
        let (event, body) = published();
        fold_into(&mut rows, 1, &roster(every), b"");
        fold_into(&mut rows, 2, &event, body);
        let id = decode::<DutyRow>(&rows[&*key::duty(&duty)]).unwrap().id;
        let (reason, step) = (String::new(), "send".to_owned());
        let parked = Parked { duty, class: ParkClass::OutcomeUnknown, reason, step, part: Some(part.clone()), at: Time::from_ms(3) };
        fold_into(&mut rows, 3, &Record::Parked(parked), b"");
        fold_into(&mut rows, 4, &Record::Dropped(Dropped { id, why: "seen".to_owned(), at: Time::from_ms(4) }), b"");
        rows.contains_key(&*key::link(CHAT, &entry(), &part))
    }

    #[test]
    fn what_is_dropped_counts_as_made_for_the_item_but_an_announcement_only_for_its_event() {
        assert!(counts_as_made(false));
        assert!(!counts_as_made(true), "every later event of the item would be left out");
    }
}
