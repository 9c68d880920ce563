//! temp
use serde_json::value::RawValue;
use sleeksync_connectors::contract::*;
use std::borrow::Cow;
/// t
pub struct Target<'a> {
    /// t
    pub item: ItemId,
    /// t
    pub fields: Vec<(Cow<'a, str>, &'a RawValue)>,
}
/// t
pub struct Decoded<'a> {
    /// t
    pub targets: Vec<Target<'a>>,
}
/// t
pub struct NotJson;
/// t
pub fn decode(_body: &[u8]) -> Result<Decoded<'_>, NotJson> {
    Err(NotJson)
}
/// t
pub fn data(_body: &[u8]) -> Option<serde_json::Value> {
    None
}
