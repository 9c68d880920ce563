//! What can be asked of the index.

use std::sync::Arc;

use sleeksync_connectors::contract::{Item, ItemId, Link, Links, Time};

use super::key::{self, Key};
use super::row::{ConnectorRow, DormantRow, DutyRow, ItemRow, LinkRow, MetaRow, ParkedRow, StaleRow, StandingRow};
use super::rows::{Base, Bytes, RowsError, decode};
use crate::record::{ConnectorId, DutyKey, Mark, Roster};

/// How many parts of one item are looked at.
const PARTS_MAX: usize = 256;
/// How many deliveries of one lane are looked at for one that does not wait.
const LANE_HEAD_MAX: usize = 64;
/// How many connectors there can be.
const CONNECTORS_MAX: usize = 4096;

/// The index as it stands. Single reads are consistent; several reads may straddle a fold.
#[derive(Clone)]
pub struct View {
    base: Arc<dyn Base + Send + Sync>,
}

type Page<T> = Result<Vec<T>, RowsError>;

impl View {
    pub(crate) fn new(base: Arc<dyn Base + Send + Sync>) -> Self {
        Self { base }
    }

    pub(super) fn base(&self) -> &dyn Base {
        self.base.as_ref()
    }

    fn get<T: serde::de::DeserializeOwned>(&self, key: &Key) -> Result<Option<T>, RowsError> {
        self.base.get(key)?.map(|bytes| decode(&bytes)).transpose()
    }

    fn scan<T: serde::de::DeserializeOwned>(&self, prefix: &Key, limit: usize) -> Page<T> {
        self.base.scan(prefix, None, limit)?.iter().map(|(_, row)| decode(row)).collect()
    }

    /// The index itself.
    ///
    /// # Errors
    /// The storage failed; the same holds for everything below.
    pub fn meta(&self) -> Result<MetaRow, RowsError> {
        Ok(self.get(&key::meta())?.unwrap_or_default())
    }

    /// The roster as it was last written.
    ///
    /// # Errors
    /// The storage failed.
    pub fn roster(&self) -> Result<Option<Roster>, RowsError> {
        self.get(&key::roster())
    }

    /// All connectors it knows.
    ///
    /// # Errors
    /// The storage failed.
    pub fn connectors(&self) -> Page<(ConnectorId, ConnectorRow)> {
        let rows = self.base.scan(&key::connectors(), None, CONNECTORS_MAX)?;
        rows.iter()
            .filter_map(|(key, row)| {
                let id: [u8; 2] = key.get(1..3)?.try_into().ok()?;
                Some(decode(row).map(|row| (ConnectorId(u16::from_be_bytes(id)), row)))
            })
            .collect()
    }

    /// One connector.
    ///
    /// # Errors
    /// The storage failed.
    pub fn connector(&self, id: ConnectorId) -> Result<Option<ConnectorRow>, RowsError> {
        self.get(&key::connector(id))
    }

    /// Number of the accepted event that this one repeats.
    ///
    /// # Errors
    /// The storage failed.
    pub fn duplicate_of(&self, mark: &Mark) -> Result<Option<u64>, RowsError> {
        if mark.only_newest {
            let newest: Option<([u8; 16], u64, Time)> = self.get(&key::newest(&mark.subject))?;
            return Ok(newest.filter(|(digest, ..)| *digest == mark.digest).map(|(_, seq, _)| seq));
        }
        Ok(self.get::<(u64, Time)>(&key::mark(&mark.digest))?.map(|(seq, _)| seq))
    }

    /// An item's row.
    ///
    /// # Errors
    /// The storage failed.
    pub fn item_row(&self, id: &ItemId) -> Result<Option<ItemRow>, RowsError> {
        self.get(&key::item(id))
    }

    /// The same as it is stored: most of what is planned copies none of its texts.
    ///
    /// # Errors
    /// The storage failed.
    pub fn stored_item(&self, id: &ItemId) -> Result<Option<StoredItem>, RowsError> {
        Ok(self.base.get(&key::item(id))?.map(StoredItem))
    }

    /// An item as connectors see it.
    ///
    /// # Errors
    /// The storage failed.
    pub fn item(&self, id: &ItemId) -> Result<Option<Item>, RowsError> {
        Ok(self.item_row(id)?.map(|row| row.to_item()))
    }

    /// Items in the order of their keys, after `after`.
    ///
    /// # Errors
    /// The storage failed.
    pub fn items(&self, after: Option<&ItemId>, limit: usize) -> Page<ItemRow> {
        let after = after.map(key::item);
        let rows = self.base.scan(&key::items(), after.as_deref(), limit)?;
        rows.iter().map(|(_, row)| decode(row)).collect()
    }

    /// Lanes that are due at `now`, the longest due first, and when the first of the others will be.
    ///
    /// # Errors
    /// The storage failed.
    pub fn due_lanes(&self, connector: ConnectorId, now: Time, limit: usize) -> Result<(Vec<ItemId>, Option<Time>), RowsError> {
        let prefix = key::timetable(connector);
        let mut lanes = Vec::new();
        for (key, row) in self.base.scan(&prefix, None, limit)? {
            let due = key.get(3..11).and_then(|at| at.try_into().ok()).map_or(0, u64::from_be_bytes);
            let due = Time::from_ms(i64::try_from(due).unwrap_or(i64::MAX));
            if due > now {
                return Ok((lanes, Some(due)));
            }
            lanes.push(decode(&row)?);
        }
        Ok((lanes, None))
    }

    /// What a lane has to do next.
    ///
    /// # Errors
    /// The storage failed.
    pub fn lane_head(&self, connector: ConnectorId, lane: &ItemId, now: Time) -> Result<Option<DutyRow>, RowsError> {
        let duties = self.scan::<DutyRow>(&key::lane_duties(connector, lane), LANE_HEAD_MAX)?;
        let open = duties.iter().position(|duty| duty.open.is_some());
        let place = open.or_else(|| duties.iter().position(|duty| duty.wait_until.is_none_or(|until| until <= now)));
        Ok(place.and_then(|place| duties.into_iter().nth(place)))
    }

    /// A delivery that is owed.
    ///
    /// # Errors
    /// The storage failed.
    pub fn duty(&self, duty: &DutyKey) -> Result<Option<DutyRow>, RowsError> {
        self.get(&key::duty(duty))
    }

    /// Items whose first object is being made by a plan that is open, `limit` at most.
    ///
    /// # Errors
    /// The storage failed.
    pub fn creating(&self, connector: ConnectorId, limit: usize) -> Page<ItemId> {
        self.scan(&key::all_creating(connector), limit)
    }

    /// When a delivery's lane is due.
    ///
    /// # Errors
    /// The storage failed.
    pub fn lane(&self, connector: ConnectorId, lane: &ItemId) -> Result<Option<super::row::LaneRow>, RowsError> {
        self.get(&key::lane(connector, lane))
    }

    /// All deliveries of a connector that are owed, in the order of their lanes, after `after`.
    ///
    /// # Errors
    /// The storage failed.
    pub fn duties(&self, connector: ConnectorId, after: Option<&DutyKey>, limit: usize) -> Page<DutyRow> {
        let after = after.map(key::duty);
        let rows = self.base.scan(&key::duties(connector), after.as_deref(), limit)?;
        rows.iter().map(|(_, row)| decode(row)).collect()
    }

    /// A parked delivery.
    ///
    /// # Errors
    /// The storage failed.
    pub fn parked(&self, id: u64) -> Result<Option<ParkedRow>, RowsError> {
        self.get(&key::parked(id))
    }

    /// The number under which a delivery is parked.
    ///
    /// # Errors
    /// The storage failed.
    pub fn parked_id(&self, duty: &DutyKey) -> Result<Option<u64>, RowsError> {
        self.get(&key::parked_of(duty))
    }

    /// Parked deliveries with numbers below `before`, newest first.
    ///
    /// # Errors
    /// The storage failed.
    pub fn all_parked(&self, before: Option<u64>, limit: usize) -> Page<ParkedRow> {
        let before = before.map(key::parked);
        let rows = self.base.scan_back(&key::all_parked(), before.as_deref(), limit)?;
        rows.iter().map(|(_, row)| decode(row)).collect()
    }

    /// A delivery that waits for a link, and of which item.
    ///
    /// # Errors
    /// The storage failed.
    pub fn dormant(&self, duty: &DutyKey) -> Result<Option<(ItemId, DutyRow)>, RowsError> {
        let Some(for_item) = self.get::<ItemId>(&key::dormant_of(duty))? else { return Ok(None) };
        let row: Option<DormantRow> = self.get(&key::dormant(duty, &for_item))?;
        Ok(row.map(|row| (for_item, row.duty)))
    }

    /// All links of an item.
    ///
    /// # Errors
    /// The storage failed.
    pub fn links_of(&self, connector: ConnectorId, item: &ItemId) -> Page<LinkRow> {
        self.scan(&key::item_links(connector, item), PARTS_MAX)
    }

    /// Links of a connector in the order of their items, after `after`.
    ///
    /// # Errors
    /// The storage failed.
    pub fn links(&self, connector: ConnectorId, after: Option<&LinkRow>, limit: usize) -> Page<LinkRow> {
        let after = after.map(|link| key::link(connector, &link.item, &link.part));
        let rows = self.base.scan(&key::links(connector), after.as_deref(), limit)?;
        rows.iter().map(|(_, row)| decode(row)).collect()
    }

    /// The links a plan for `item` may look at, whose own are these. `all` are the connectors there are.
    ///
    /// # Errors
    /// The storage failed.
    pub fn links_for(
        &self,
        connector: ConnectorId,
        all: &[(ConnectorId, ConnectorRow)],
        item: &Item,
        own: &[LinkRow],
    ) -> Result<Links, RowsError> {
        let origin = item.origin();
        let item = &item.id;
        let parent = origin.map(|parent| self.links_of(connector, &parent)).transpose()?.unwrap_or_default();
        let mut elsewhere = std::collections::BTreeMap::new();
        for (other, row) in all.iter().filter(|(other, _)| *other != connector) {
            let url = self.links_of(*other, item)?.into_iter().find_map(|link| link.remote?.url);
            if let Some(url) = url {
                elsewhere.insert(row.name.clone(), url);
            }
        }
        let by_part = |links: &[LinkRow]| links.iter().map(|link| (link.part.clone(), link.to_link())).collect();
        Ok(Links { own: by_part(own), parent: by_part(&parent), elsewhere })
    }

    /// How the last delivery of an item or event ended.
    ///
    /// # Errors
    /// The storage failed.
    pub fn standing(&self, duty: &DutyKey) -> Result<Option<StandingRow>, RowsError> {
        self.get(&key::standing(duty))
    }

    /// The note on an event that lost against a newer state.
    ///
    /// # Errors
    /// The storage failed.
    pub fn stale(&self, seq: u64) -> Result<Option<StaleRow>, RowsError> {
        self.get(&key::stale(seq))
    }
}

/// An item's row as it is stored.
pub struct StoredItem(Bytes);

impl StoredItem {
    /// The row, its texts borrowed.
    ///
    /// # Errors
    /// It does not decode.
    pub fn row(&self) -> Result<ItemRow<&str>, RowsError> {
        decode(&self.0)
    }
}

impl LinkRow {
    /// As connectors see it.
    pub fn to_link(&self) -> Link {
        Link { remote: self.remote.clone(), content: self.content, rendering: self.rendering, updated_at: self.at }
    }
}
