//! What is made of a webhook's body: an event, something that may be understood later, or bytes.

use bytes::Bytes;
use sleeksync_connectors::contract::Time;

use super::digest;
use super::payload::{Shape, decode, effective, shape};
use super::products::Products;
use crate::record::{EventRecord, EventStatus};

/// A body and what was made of it.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// The raw body.
    pub body: Bytes,
    /// What is kept beside it.
    pub event: EventRecord,
}

impl Arrival {
    /// Reads a body that arrived at `received_at`.
    pub fn read(body: Bytes, received_at: Time, products: &Products) -> Self {
        let event = match decode(&body) {
            Err(_) => EventRecord {
                received_at,
                at: received_at,
                status: EventStatus::Quarantined,
                product: None,
                action: None,
                item: None,
                mark: None,
            },
            Ok(decoded) => {
                let at = effective(decoded.sent_at, received_at);
                if let (Some(sent), Some(product)) = (decoded.sent_at, decoded.product)
                    && sent != at
                {
                    products.report_clock(product, sent);
                }
                let (status, product, action, item) = match shape(&decoded) {
                    Shape::Recognised { product, .. } if !products.admit(product) => (EventStatus::Unlisted, Some(product), None, None),
                    Shape::Recognised { product, action, item } => (EventStatus::Accepted, Some(product), Some(action), Some(item)),
                    Shape::Unrecognised { reason } => (EventStatus::Unrecognised(reason), decoded.product, None, None),
                };
                let mark = digest::mark(&decoded, status == EventStatus::Accepted);
                EventRecord { received_at, at, status, product, action, item, mark }
            }
        };
        Self { body, event }
    }
}

/// It is on disk, under this number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receipt {
    /// As an event.
    Accepted(u64),
    /// As an equal one that came before.
    Duplicate(u64),
    /// As something not understood.
    Unrecognised(u64),
    /// As bytes.
    Quarantined(u64),
}

impl Receipt {
    /// That of what is kept with this status.
    pub fn of(status: &EventStatus) -> fn(u64) -> Self {
        match status {
            EventStatus::Accepted => Self::Accepted,
            EventStatus::Unrecognised(_) | EventStatus::Unlisted => Self::Unrecognised,
            EventStatus::Quarantined => Self::Quarantined,
        }
    }
}
