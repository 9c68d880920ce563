//! What is left of a person who was deleted: ids and dates, no name, address or picture.

use serde_json::{Map, Value as Json};

use super::tables::{PERSON_ID, Table};
use crate::contract::{ItemKind, id_of};

/// The fields of a person that say nothing about who it was.
const KEPT: &[&str] = &["user_id", "product_id", "admin_id", "anonymous", "created", "updated"];

/// Other names under which an address was seen.
const ADDRESSES: &[&str] = &["mail", "email"];

/// Leaves of a person's own fields only what names nobody.
pub(super) fn forget(fields: &mut Map<String, Json>) {
    fields.retain(|name, _| KEPT.contains(&name.as_str()));
}

/// The same where this person stands in what is about something else: nested as `user`, or with fields beside the others.
pub(super) fn forget_in(fields: &mut Map<String, Json>, person: &str) {
    let is_person = |fields: &Map<String, Json>| fields.get(PERSON_ID).and_then(id_of).is_some_and(|id| id == person);
    if let Some(Json::Object(user)) = fields.get_mut("user")
        && is_person(user)
    {
        forget(user);
    }
    if is_person(fields) {
        let personal = Table::of(ItemKind::User).columns.iter().filter(|column| column.personal).map(|column| column.name);
        personal.chain(ADDRESSES.iter().copied()).for_each(|name| drop(fields.remove(name)));
    }
}
