//! What is left of a person who was deleted: ids and dates, no name, address or picture.

use serde_json::{Map, Value as Json};

/// The fields of a person that say nothing about who it was.
const KEPT: &[&str] = &["user_id", "product_id", "admin_id", "anonymous", "created", "updated"];

/// Leaves of a person's own fields only what names nobody.
pub(super) fn forget(fields: &mut Map<String, Json>) {
    fields.retain(|name, _| KEPT.contains(&name.as_str()));
}

/// The same for every nested `user` that is this person.
pub(super) fn forget_in(fields: &mut Map<String, Json>, person: &str) {
    if let Some(Json::Object(user)) = fields.get_mut("user")
        && id_of(user).is_some_and(|id| id == person)
    {
        forget(user);
    }
}

/// The person's id, as text.
pub(super) fn id_of(user: &Map<String, Json>) -> Option<String> {
    match user.get("user_id")? {
        Json::String(id) => Some(id.trim().to_owned()),
        Json::Number(id) => Some(id.to_string()),
        _ => None,
    }
}
