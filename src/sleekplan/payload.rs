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

#[derive(serde::Deserialize)]
struct Env<'a> { product_id: u64, action: String, #[serde(borrow)] data: &'a RawValue }
/// t
pub fn decode(body: &[u8]) -> Result<Decoded<'_>, NotJson> {
    let env: Env<'_> = serde_json::from_slice(body).map_err(|_| NotJson)?;
    let action: Action = env.action.parse().map_err(|_| NotJson)?;
    let map: std::collections::BTreeMap<String, &RawValue> = serde_json::from_str(env.data.get()).map_err(|_| NotJson)?;
    let id: String = map.get("feedback_id").and_then(|v| serde_json::from_str(v.get()).ok()).ok_or(NotJson)?;
    let item = ItemId::top(ProductId(env.product_id), action.kind(), &id).ok_or(NotJson)?;
    Ok(Decoded { targets: vec![Target { item, fields: map.into_iter().map(|(k, v)| (Cow::Owned(k), v)).collect() }], sent_at: None })
}
/// t
pub fn shape(_d: &Decoded<'_>) -> Shape { Shape::Unrecognised { reason: String::new() } }
/// t
pub fn effective(sent: Option<Time>, now: Time) -> Time { sent.unwrap_or(now) }
/// t
pub fn data(_body: &[u8]) -> Option<serde_json::Value> { None }
