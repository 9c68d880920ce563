//! Keys of the index: one letter for the kind of row, then fields whose byte order is the order they are read in.

use std::borrow::Borrow;
use std::ops::Deref;

use sleeksync_connectors::contract::{ItemId, ItemKind, Part, Time};
use smallvec::SmallVec;

use crate::record::{ConnectorId, DutyKey};

/// As long as most keys are, with room to spare: asking for a row then allocates nothing, and comparing changed rows looks at one place.
const USUAL_BYTES: usize = 40;

/// A key. Ordered as its bytes are.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key(SmallVec<[u8; USUAL_BYTES]>);

impl Key {
    fn of(letter: u8) -> Self {
        let mut bytes = SmallVec::new();
        bytes.push(letter);
        Self(bytes)
    }

    fn connector(mut self, id: ConnectorId) -> Self {
        self.0.extend_from_slice(&id.0.to_be_bytes());
        self
    }

    fn number(mut self, number: u64) -> Self {
        self.0.extend_from_slice(&number.to_be_bytes());
        self
    }

    fn time(self, at: Time) -> Self {
        // Times before 1970 are taken for 1970: the order of those does not matter.
        self.number(u64::try_from(at.as_ms()).unwrap_or(0))
    }

    /// Ids hold no NUL, so a NUL ends them.
    fn item(mut self, item: &ItemId) -> Self {
        let [a, b, c, d, e, f, g, h] = item.product().0.to_be_bytes();
        self.0.extend_from_slice(&[a, b, c, d, e, f, g, h, kind_byte(item.kind())]);
        if let Some(parent) = item.parent() {
            self.0.extend_from_slice(parent.id().as_bytes());
            self.0.push(0);
        }
        self.0.extend_from_slice(item.id().as_bytes());
        self.0.push(0);
        self
    }
}

/// What a scan gave.
impl From<&[u8]> for Key {
    fn from(bytes: &[u8]) -> Self {
        Self(SmallVec::from_slice(bytes))
    }
}

impl Borrow<[u8]> for Key {
    fn borrow(&self) -> &[u8] {
        self
    }
}

impl Deref for Key {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

/// Where an item's ids begin in a key that has connector and item first: behind letter, connector, product and kind.
const ITEM_AT: usize = 12;

const fn kind_byte(kind: ItemKind) -> u8 {
    match kind {
        ItemKind::Feedback => 1,
        ItemKind::Comment => 2,
        ItemKind::Vote => 3,
        ItemKind::Subscription => 4,
        ItemKind::User => 5,
        ItemKind::Changelog => 6,
        ItemKind::Subscriber => 7,
        ItemKind::Satisfaction => 8,
    }
}

/// The one row about the index itself.
pub fn meta() -> Key {
    Key::of(b'M')
}

/// The roster as it was last written.
pub fn roster() -> Key {
    Key::of(b'R')
}

/// A connector's row.
pub fn connector(id: ConnectorId) -> Key {
    Key::of(b'C').connector(id)
}

/// All connectors' rows.
pub fn connectors() -> Key {
    Key::of(b'C')
}

/// The latest state of an item.
pub fn item(id: &ItemId) -> Key {
    Key::of(b'I').item(id)
}

/// All items.
pub fn items() -> Key {
    Key::of(b'I')
}

/// The event of this digest was accepted.
pub fn mark(digest: &[u8; 16]) -> Key {
    let mut key = Key::of(b'D');
    key.0.extend_from_slice(digest);
    key
}

/// The newest digest of a subject.
pub fn newest(subject: &[u8; 16]) -> Key {
    let mut key = Key::of(b'S');
    key.0.extend_from_slice(subject);
    key
}

/// A note on an event that lost against a newer state.
pub fn stale(seq: u64) -> Key {
    Key::of(b'X').number(seq)
}

/// The kinds of rows that expire: marks, newest digests, notes on stale events, and how announcements ended.
pub const EXPIRING: [u8; 4] = *b"DSXZ";

/// A delivery that is owed. Within a lane the feedback comes before its comments, and announcements come in the order of their events.
pub fn duty(duty: &DutyKey) -> Key {
    let lane = lane_duties(duty.connector, &duty.lane());
    match duty.event {
        Some(event) => lane.number(event),
        None => lane.item(&duty.item),
    }
}

/// All deliveries of a lane.
pub fn lane_duties(connector: ConnectorId, lane: &ItemId) -> Key {
    Key::of(b'Q').connector(connector).item(lane)
}

/// All deliveries of a connector.
pub fn duties(connector: ConnectorId) -> Key {
    Key::of(b'Q').connector(connector)
}

/// A plan that is to make an item's first object is open.
pub fn creating(connector: ConnectorId, item: &ItemId) -> Key {
    all_creating(connector).item(item)
}

/// All such plans of a connector.
pub fn all_creating(connector: ConnectorId) -> Key {
    Key::of(b'O').connector(connector)
}

/// When a lane is due.
pub fn lane(connector: ConnectorId, lane: &ItemId) -> Key {
    Key::of(b'A').connector(connector).item(lane)
}

/// All lanes of a connector.
pub fn lanes(connector: ConnectorId) -> Key {
    Key::of(b'A').connector(connector)
}

/// The timetable: lanes by the time they are due.
pub fn due(connector: ConnectorId, at: Time, lane: &ItemId) -> Key {
    Key::of(b'T').connector(connector).time(at).item(lane)
}

/// Whether a row is only ever found by going through a list: the timetable. The filter of known keys has no use for them.
pub fn is_listed(key: &[u8]) -> bool {
    key.first() == Some(&b'T')
}

/// What of a key names the item it is about, the whole where that is no item: rows of one item are asked for one after the other.
pub fn item_in(key: &[u8]) -> &[u8] {
    match key {
        [b'I', item @ ..] | [b'A' | b'L' | b'O' | b'W', _, _, item @ ..] => item,
        // A lane and what is in it: the same, but for children and announcements.
        [b'Q', _, _, both @ ..] => match both.split_at(both.len() / 2) {
            (lane, item) if lane == item => item,
            _ => both,
        },
        // Without the number of an event, which is 0 where the delivery is of the item itself.
        [b'Z' | b'p' | b'w', _, _, item @ ..] => item.strip_suffix(&[0; 8]).unwrap_or(item),
        _ => key,
    }
}

/// The rows that `key` is listed with, where those are an item's links or what waits for one: most items have none, and that is asked often.
/// The prefix by which they are listed gives itself.
pub fn group(key: &[u8]) -> Option<&[u8]> {
    let is_child = |kind: &u8| (kind_byte(ItemKind::Comment)..=kind_byte(ItemKind::Subscription)).contains(kind);
    if !matches!(key.first(), Some(b'L' | b'W')) {
        return None;
    }
    let ids = if is_child(key.get(ITEM_AT - 1)?) { 2 } else { 1 };
    let ends = key.iter().enumerate().skip(ITEM_AT).filter(|(_, byte)| **byte == 0).map(|(at, _)| at);
    key.get(..=ends.take(ids).nth(ids - 1)?)
}

/// A connector's timetable.
pub fn timetable(connector: ConnectorId) -> Key {
    Key::of(b'T').connector(connector)
}

/// A parked delivery.
pub fn parked(id: u64) -> Key {
    Key::of(b'P').number(id)
}

/// All parked deliveries.
pub fn all_parked() -> Key {
    Key::of(b'P')
}

/// The number of a delivery's parked row.
pub fn parked_of(duty: &DutyKey) -> Key {
    Key::of(b'p').connector(duty.connector).item(&duty.item).number(duty.event.unwrap_or(0))
}

/// A delivery that waits for a link of `for_item`.
pub fn dormant(duty: &DutyKey, for_item: &ItemId) -> Key {
    dormants_of(duty.connector, for_item).item(&duty.item).number(duty.event.unwrap_or(0))
}

/// All deliveries that wait for a link of `for_item`.
pub fn dormants_of(connector: ConnectorId, for_item: &ItemId) -> Key {
    Key::of(b'W').connector(connector).item(for_item)
}

/// All dormant deliveries of a connector.
pub fn dormants(connector: ConnectorId) -> Key {
    Key::of(b'W').connector(connector)
}

/// What a dormant delivery waits for.
pub fn dormant_of(duty: &DutyKey) -> Key {
    Key::of(b'w').connector(duty.connector).item(&duty.item).number(duty.event.unwrap_or(0))
}

/// A link.
pub fn link(connector: ConnectorId, item: &ItemId, part: &Part) -> Key {
    let mut key = item_links(connector, item);
    key.0.extend_from_slice(part.0.as_bytes());
    key
}

/// All links of an item.
pub fn item_links(connector: ConnectorId, item: &ItemId) -> Key {
    Key::of(b'L').connector(connector).item(item)
}

/// All links of a connector.
pub fn links(connector: ConnectorId) -> Key {
    Key::of(b'L').connector(connector)
}

/// How the last delivery of an item or event ended.
pub fn standing(duty: &DutyKey) -> Key {
    Key::of(b'Z').connector(duty.connector).item(&duty.item).number(duty.event.unwrap_or(0))
}

/// All standings of a connector.
pub fn standings(connector: ConnectorId) -> Key {
    Key::of(b'Z').connector(connector)
}

#[cfg(test)]
mod tests {
    use sleeksync_connectors::contract::ProductId;

    use super::*;

    #[test]
    fn rows_of_an_item_are_grouped_by_the_prefix_that_lists_them() {
        let post = ItemId::top(ProductId(7), ItemKind::Feedback, "31").unwrap();
        let vote = ItemId::child(ProductId(7), ItemKind::Vote, "31", "5").unwrap();
        for item in [&post, &vote] {
            let links = item_links(ConnectorId(0), item);
            assert_eq!(group(link(ConnectorId(0), item, &Part::new("issue")).as_ref()), Some(links.as_ref()));
            assert_eq!(group(links.as_ref()), Some(links.as_ref()));
            let duty = DutyKey { connector: ConnectorId(0), item: vote.clone(), event: None };
            assert_eq!(group(dormant(&duty, item).as_ref()), Some(dormants_of(ConnectorId(0), item).as_ref()));
            assert_eq!(group(lane(ConnectorId(0), item).as_ref()), None);
        }
        assert_eq!(group(links(ConnectorId(0)).as_ref()), None);
        assert_eq!(group(dormants(ConnectorId(9)).as_ref()), None);
    }

    #[test]
    fn what_is_asked_of_one_item_names_it_alike() {
        let post = ItemId::top(ProductId(7), ItemKind::Feedback, "31").unwrap();
        let chat = ConnectorId(258);
        let whole = DutyKey { connector: chat, item: post.clone(), event: None };
        let name = item_in(&item(&post)).to_vec();
        for key in [duty(&whole), lane(chat, &post), dormant_of(&whole), parked_of(&whole), standing(&whole), item_links(chat, &post)] {
            assert_eq!(item_in(&key), name, "{key:?}");
        }
        let of_event = DutyKey { event: Some(9), ..whole };
        for key in [duty(&of_event), dormant_of(&of_event), mark(&[0; 16]), parked(0), connector(chat)] {
            assert_ne!(item_in(&key), name, "{key:?}");
        }
    }
}
