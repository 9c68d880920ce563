//! temp
use std::borrow::Cow;
use serde_json::value::RawValue;
use sleeksync_connectors::contract::*;
/// t
pub struct Target<'a> { /// t
 pub item: ItemId, /// t
 pub fields: Vec<(Cow<'a, str>, &'a RawValue)> }
/// t
pub struct Decoded<'a> { /// t
 pub targets: Vec<Target<'a>>, /// t
 pub sent_at: Option<Time> }
/// t
#[derive(Debug)]
pub struct NotJson;
/// t
pub enum Shape { /// t
 Recognised { /// t
 product: ProductId, /// t
 action: Action, /// t
 item: ItemId }, /// t
 Unrecognised { /// t
 reason: String } }
/// t
pub fn decode(_body: &[u8]) -> Result<Decoded<'_>, NotJson> { Err(NotJson) }
/// t
pub fn shape(_d: &Decoded<'_>) -> Shape { Shape::Unrecognised { reason: String::new() } }
/// t
pub fn effective(sent: Option<Time>, now: Time) -> Time { sent.unwrap_or(now) }
/// t
pub fn data(_body: &[u8]) -> Option<serde_json::Value> { None }
