//! What templates and `when` see: Sleekplan's fields under their own names without prefixes, read once and typed.
//!
//! Every known name is always there: what Sleekplan never sent is none. So a mistyped name is told from an absent value. The names stand
//! in one table.

mod shown;
mod table;

use std::collections::BTreeMap;

use minijinja::Value;
use minijinja::value::Serde;
use serde_json::{Map, Value as Json, json};
use url::Url;

use self::shown::{Known, Words};
use self::table::{PERSON, Read, Row, computed, rows};
use super::template::Output;
use super::text::{Dialect, Text};
use crate::contract::{Change, Fields, Item, ItemKind, Links, Product};

pub(super) use shown::{Absent, is_none};
pub use table::names;
pub(super) use table::{EVENT, PRODUCT, below};

/// The longest title a template sees; services cut further.
const TITLE_CHARS_MAX: usize = 1000;

/// What a template sees.
#[derive(Clone, Debug)]
pub struct View {
    /// By kind of item; what this change does not have is not in it.
    items: BTreeMap<&'static str, Known>,
    event: Map<String, Json>,
    has_event: bool,
    product: Json,
    links: BTreeMap<String, String>,
}

impl View {
    /// As the template engine takes it, for this output.
    pub(super) fn value(&self, output: Output) -> Value {
        let mut all: BTreeMap<String, Value> = BTreeMap::new();
        for kind in ItemKind::ALL {
            let name = kind.template_name();
            let value = match self.items.get(name) {
                Some(known) => known.value(Absent::None, Some(output)),
                None => shown::missing(&nothing(*kind)),
            };
            all.insert(name.to_owned(), value);
        }
        let event = if self.has_event { shown::event(&self.event) } else { shown::missing(&self.event) };
        all.insert("event".to_owned(), event);
        all.insert("product".to_owned(), Value::from(Serde(&self.product)));
        all.insert("links".to_owned(), shown::addresses(&self.links));
        Value::from(all)
    }
}

/// What a template sees of a change. `body.markdown` is inert in `dialect`.
///
/// A child sees its feedback post as `feedback`, and everything with a `user` sees that person as `user` too.
pub fn view(change: &Change<'_>, links: &Links, dialect: Dialect) -> View {
    let item = change.item;
    let mut items = BTreeMap::new();
    if let Some(parent) = change.parent {
        items.insert(parent.id.kind().template_name(), known(parent, change.product, dialect));
    }
    let own = known(item, change.product, dialect);
    if let Some(Json::Object(user)) = own.fields.get("user") {
        items.insert(ItemKind::User.template_name(), Known { fields: user.clone(), words: None });
    }
    items.insert(item.id.kind().template_name(), own);
    let mut event: Map<String, Json> = EVENT.iter().map(|name| ((*name).to_owned(), Json::Null)).collect();
    if let Some(known) = change.event {
        event.insert("action".to_owned(), json!(known.action.as_str()));
        event.insert("at".to_owned(), json!(known.at.to_string()));
        event.insert("seq".to_owned(), json!(known.seq));
        event.insert("data".to_owned(), json!(known.data.as_map()));
    }
    let product = json!({"id": change.product.id.0, "name": change.product.name});
    View { items, event, has_event: change.event.is_some(), product, links: links.elsewhere.clone() }
}

/// What a template would see of a change to nothing at all: to try its words on.
pub(super) fn empty() -> View {
    let event = EVENT.iter().map(|name| ((*name).to_owned(), Json::Null)).collect();
    View { items: BTreeMap::new(), event, has_event: false, product: json!({"id": 0, "name": ""}), links: BTreeMap::new() }
}

/// What `when` would see of an item without any field.
pub(super) fn bare_empty(kind: ItemKind) -> Value {
    shown::missing(&nothing(kind))
}

/// What `when` sees: the item's fields by themselves.
pub(super) fn bare(item: &Item, product: &Product, absent: Absent) -> Value {
    known(item, product, Dialect::Plain).value(absent, None)
}

/// The long text of an item: the HTML where Sleekplan sent it, else the plain text (comments were seen with three names for it).
pub fn body(item: &Item) -> Text {
    words(item, Dialect::Plain).read()
}

fn words(item: &Item, dialect: Dialect) -> Words {
    let first = |names: &[&str]| names.iter().find_map(|name| item.fields.some_text(name));
    match first(&["description_html", "comment_html"]) {
        Some(html) => Words { source: html, is_html: true, dialect },
        None => Words { source: first(&["description", "comment", "value", "text"]).unwrap_or_default(), is_html: false, dialect },
    }
}

/// The public address of a feedback post or entry, where the configuration says how it is made.
pub fn public_url(item: &Item, product: &Product) -> Option<String> {
    let template = match item.id.kind() {
        ItemKind::Feedback => product.feedback_url.as_ref()?,
        ItemKind::Changelog => product.entry_url.as_ref()?,
        _ => return None,
    };
    let name = item.id.kind().template_name();
    let known = json!({name: {"id": item.id.id(), "title": item.fields.text("title").unwrap_or_default()}});
    let url: Url = super::template::render_once(template, known)?.trim().parse().ok()?;
    // A title in the template may bring anything along; only the web's two schemes are links to a page.
    matches!(url.scheme(), "http" | "https").then(|| url.into())
}

/// What a map says about a key of Sleekplan's: by the raw key or its configured label, whatever their case.
pub fn mapped<'a>(
    map: &'a BTreeMap<String, String>,
    key: Option<&str>,
    label: impl Fn(&Product, &str) -> String,
    product: &Product,
) -> Option<&'a str> {
    let key = key?;
    let label = label(product, key).to_lowercase();
    let found = map.iter().find(|(known, _)| known.eq_ignore_ascii_case(key) || known.to_lowercase() == label);
    found.map(|(_, value)| value.as_str())
}

/// The names of a kind, all none.
fn nothing(kind: ItemKind) -> Map<String, Json> {
    let known = |name: &'static str| {
        let value = below(name).map_or(Json::Null, |names| names.iter().map(|name| ((*name).to_owned(), Json::Null)).collect());
        (name.to_owned(), value)
    };
    names(kind).into_iter().map(known).collect()
}

fn known(item: &Item, product: &Product, dialect: Dialect) -> Known {
    let kind = item.id.kind();
    let mut fields = read_rows(&item.fields, rows(kind), product);
    if let Some(Json::String(title)) = fields.get_mut("title") {
        *title = super::text::line(title, TITLE_CHARS_MAX);
    }
    for name in computed(kind) {
        let value = match *name {
            // Not read before a template asks for it.
            "body" => continue,
            "status_label" => label(&item.fields, "status", |key| product.status_label(key).to_owned()),
            "type_label" => label(&item.fields, "type", |key| product.type_label(key).to_owned()),
            "votes" => votes(&item.fields),
            "url" => public_url(item, product).map_or(Json::Null, Json::String),
            "user" => Json::Object(read_rows(&item.fields.object("user"), PERSON, product)),
            _ => Json::Null,
        };
        fields.insert((*name).to_owned(), value);
    }
    Known { fields, words: computed(kind).contains(&"body").then(|| words(item, dialect)) }
}

fn read_rows(fields: &Fields, rows: &[Row], product: &Product) -> Map<String, Json> {
    let read = |(name, source, read): &Row| {
        let value = match read {
            Read::Text => json!(fields.text(source)),
            Read::Whole => json!(fields.integer(source)),
            Read::Flag => json!(fields.flag(source)),
            Read::Raw => fields.get(source).cloned().unwrap_or_default(),
            Read::Date => json!(fields.text(source).and_then(|text| product.time(&text)).map(|at| at.to_string())),
        };
        ((*name).to_owned(), value)
    };
    rows.iter().map(read).collect()
}

fn label(fields: &Fields, name: &str, label: impl Fn(&str) -> String) -> Json {
    fields.text(name).map_or(Json::Null, |key| Json::String(label(&key)))
}

/// Up less down. Sleekplan's own `total_sum` is documented in two ways, so it is not used.
fn votes(fields: &Fields) -> Json {
    match (fields.integer("total_up"), fields.integer("total_down")) {
        (None, None) => Json::Null,
        (up, down) => json!(up.unwrap_or(0).saturating_sub(down.unwrap_or(0))),
    }
}
