//! What templates and `when` see: Sleekplan's fields under their own names without prefixes, read once and typed.
//!
//! Every known name is always there: what Sleekplan never sent is none. So a mistyped name is told from an absent value.

use minijinja::Value;
use minijinja::value::Serde;
use serde_json::{Map, Value as Json, json};

use super::text::{Dialect, Text};
use crate::contract::{Change, Fields, Item, ItemKind, Links, Product};

/// The longest title a template sees; services cut further.
const TITLE_CHARS_MAX: usize = 1000;

/// How a field is read.
#[derive(Clone, Copy)]
enum Read {
    Text,
    Whole,
    Flag,
    Raw,
    /// A date, shown as RFC 3339 in UTC.
    Date,
}

type Row = (&'static str, &'static str, Read);

const PERSON: &[Row] = &[
    ("id", "user_id", Read::Text),
    ("data_id", "data_id", Read::Text),
    ("name", "data_name", Read::Text),
    ("full_name", "data_full_name", Read::Text),
    ("email", "data_mail", Read::Text),
    ("img", "data_img", Read::Text),
    ("anonymous", "anonymous", Read::Flag),
    ("segments", "segments", Read::Raw),
    ("data", "data", Read::Raw),
    ("notify", "notify", Read::Flag),
    ("notify_settings", "notify_settings", Read::Raw),
    ("weight", "weight", Read::Whole),
    ("created", "created", Read::Date),
    ("updated", "updated", Read::Date),
];

/// Name for templates, Sleekplan's name, how it is read (docs: REST objects).
const fn rows(kind: ItemKind) -> &'static [Row] {
    match kind {
        ItemKind::Feedback => &[
            ("id", "feedback_id", Read::Text),
            ("title", "title", Read::Text),
            ("status", "status", Read::Text),
            ("type", "type", Read::Text),
            ("votes_up", "total_up", Read::Whole),
            ("votes_down", "total_down", Read::Whole),
            ("comments", "total_comments", Read::Whole),
            ("subscribers", "total_subscriber", Read::Whole),
            ("trend", "trend", Read::Whole),
            ("scoring", "scoring", Read::Raw),
            ("effort", "effort", Read::Whole),
            ("owner_id", "owner_id", Read::Text),
            ("merge_id", "merge_id", Read::Text),
            ("is_active", "is_active", Read::Flag),
            ("tags", "tags", Read::Raw),
            ("estimated", "estimated", Read::Text),
            ("created", "created", Read::Date),
            ("updated", "updated", Read::Date),
        ],
        ItemKind::Comment => &[
            ("id", "comment_id", Read::Text),
            ("feedback_id", "feedback_id", Read::Text),
            ("parent", "parent", Read::Text),
            ("public", "public", Read::Flag),
            ("pinned", "pinned", Read::Flag),
            ("likes", "likes", Read::Whole),
            ("created", "created", Read::Date),
            ("updated", "updated", Read::Date),
        ],
        ItemKind::Vote => &[("feedback_id", "feedback_id", Read::Text), ("vote", "vote", Read::Whole), ("created", "created", Read::Date)],
        ItemKind::Subscription => &[("feedback_id", "feedback_id", Read::Text), ("created", "created", Read::Date)],
        ItemKind::Changelog => &[
            ("id", "changelog_id", Read::Text),
            ("title", "title", Read::Text),
            ("type", "type", Read::Text),
            ("feedback_id", "feedback_id", Read::Text),
            ("segment", "segment", Read::Text),
            ("settings", "settings", Read::Raw),
            ("draft", "draft", Read::Flag),
            ("scheduled", "scheduled", Read::Flag),
            ("enabled", "enabled", Read::Flag),
            ("announcement", "announcement", Read::Flag),
            ("notify", "notify", Read::Flag),
            ("created", "created", Read::Date),
        ],
        ItemKind::User | ItemKind::Subscriber => PERSON,
        ItemKind::Satisfaction => &[
            ("id", "satisfaction_id", Read::Text),
            ("vote", "vote", Read::Whole),
            ("data_record", "data_record", Read::Text),
            ("comment", "comment", Read::Text),
            ("meta", "meta", Read::Raw),
            ("updated", "updated", Read::Date),
        ],
    }
}

/// Names that are computed.
const fn computed(kind: ItemKind) -> &'static [&'static str] {
    match kind {
        ItemKind::Feedback => &["body", "status_label", "type_label", "votes", "url", "user"],
        ItemKind::Changelog => &["body", "type_label", "url"],
        ItemKind::Comment => &["body", "user"],
        ItemKind::Vote | ItemKind::Subscription | ItemKind::Satisfaction => &["user"],
        ItemKind::User | ItemKind::Subscriber => &[],
    }
}

/// All names of an item of this kind.
pub fn names(kind: ItemKind) -> Vec<&'static str> {
    rows(kind).iter().map(|(name, ..)| *name).chain(computed(kind).iter().copied()).collect()
}

/// What a template sees.
#[derive(Clone, Debug)]
pub struct View(Value);

impl View {
    /// As the template engine takes it.
    pub fn value(&self) -> Value {
        self.0.clone()
    }
}

/// What a template sees of a change. `body.markdown` is inert in `dialect`.
pub fn view(change: &Change<'_>, links: &Links, dialect: Dialect) -> View {
    let mut all = Map::new();
    let item = change.item;
    for kind in ItemKind::ALL {
        all.insert(kind.template_name().to_owned(), Json::Null);
    }
    if let Some(parent) = change.parent {
        all.insert(parent.id.kind().template_name().to_owned(), Json::Object(fields(parent, change.product, dialect)));
    }
    let mut own = fields(item, change.product, dialect);
    if let Some(Json::Object(user)) = own.get("user").filter(|_| item.id.kind() != ItemKind::User) {
        all.insert("user".to_owned(), Json::Object(user.clone()));
    }
    own.entry("url").or_insert(Json::Null);
    all.insert(item.id.kind().template_name().to_owned(), Json::Object(own));
    all.insert("links".to_owned(), json!(links.elsewhere));
    all.insert("product".to_owned(), json!({"id": change.product.id.0, "name": change.product.name}));
    let event = change
        .event
        .map(|event| json!({"action": event.action.as_str(), "at": event.at.to_string(), "seq": event.seq, "data": event.data.as_map()}));
    all.insert("event".to_owned(), event.unwrap_or(Json::Null));
    View(Value::from(Serde(Json::Object(all))))
}

/// What `when` sees: the item's fields by themselves.
pub fn bare_view(item: &Item, product: &Product) -> View {
    View(Value::from(Serde(Json::Object(fields(item, product, Dialect::Plain)))))
}

/// The long text of an item: the HTML where Sleekplan sent it, else the plain text (comments were seen with three names for it).
pub fn body(item: &Item) -> Text {
    let first = |names: &[&str]| names.iter().find_map(|name| item.fields.some_text(name));
    match first(&["description_html", "comment_html"]) {
        Some(html) => Text::from_html(&html),
        None => Text::from_plain(&first(&["description", "comment", "value", "text"]).unwrap_or_default()),
    }
}

fn fields(item: &Item, product: &Product, dialect: Dialect) -> Map<String, Json> {
    let kind = item.id.kind();
    let mut map = read_rows(&item.fields, rows(kind), product);
    if let Some(Json::String(title)) = map.get_mut("title") {
        *title = super::text::line(title, TITLE_CHARS_MAX);
    }
    for name in computed(kind) {
        let value = match *name {
            "body" => {
                let text = body(item);
                json!({"html": text.html(), "markdown": text.markdown(dialect), "text": text.plain()})
            }
            "status_label" => label(&item.fields, "status", |key| product.status_label(key).to_owned()),
            "type_label" => label(&item.fields, "type", |key| product.type_label(key).to_owned()),
            "votes" => json!(item.fields.integer("total_up").unwrap_or(0) - item.fields.integer("total_down").unwrap_or(0)),
            "url" => public_url(item, product).map_or(Json::Null, Json::String),
            "user" => Json::Object(read_rows(&item.fields.object("user"), PERSON, product)),
            _ => Json::Null,
        };
        map.insert((*name).to_owned(), value);
    }
    map
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

/// The public address of a feedback post or entry, where the configuration says how it is made.
pub fn public_url(item: &Item, product: &Product) -> Option<String> {
    let template = match item.id.kind() {
        ItemKind::Feedback => product.feedback_url.as_ref()?,
        ItemKind::Changelog => product.entry_url.as_ref()?,
        _ => return None,
    };
    let name = item.id.kind().template_name();
    let known = json!({name: {"id": item.id.id(), "title": item.fields.text("title").unwrap_or_default()}});
    super::template::render_once(template, known)
}
