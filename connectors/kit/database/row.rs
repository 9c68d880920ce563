//! Rows: an item as a database keeps it, planned purely.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use super::person;
use super::tables::{Column, PERSON_ID, Source, Table, Type};
use super::value::{self, Value};
use crate::contract::{
    Change, Effect, Fields, Hash, Item, ItemKind, Part, Plan, Preview, Product, Reason, RemoteRef, Repeat, Step, StepName, Time, id_of,
};

/// The item's row.
const ROW: Part = Part::new("row");
/// The feedback nested in a vote: it has a row of its own, which is newer or the same.
const NESTED: &str = "feedback_item";

/// One step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Op {
    /// The row stands as this says, unless a newer one does. A person's row that is deleted takes the person out of all others.
    Put(Arc<Row>),
}

/// An item as it stands in its table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// Which table.
    pub(super) kind: ItemKind,
    /// `product_id`, and the ids of the table's key.
    pub(super) key: Vec<String>,
    /// Who stands in it, by id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) person: Option<String>,
    /// The columns that hold something.
    pub(super) values: BTreeMap<Cow<'static, str>, Json>,
    /// Everything Sleekplan said, as the text of an object.
    pub(super) raw: String,
    /// The time of the newest event on it.
    pub(super) source_ts: Time,
    /// Whether it was deleted at Sleekplan then.
    pub(super) deleted: bool,
}

impl Row {
    /// Its table.
    pub fn table(&self) -> &'static Table {
        Table::of(self.kind)
    }

    /// What is bound to the statement that writes it, in its order.
    pub fn values(&self) -> Vec<Value> {
        let key = self.key.iter().cloned().map(Value::Text);
        let columns = self.table().columns.iter().map(|column| Value::from_json(self.values.get(column.name)).fitting(column.kind));
        let deleted_at = if self.deleted { Value::Text(self.source_ts.to_string()) } else { Value::Null };
        key.chain(columns).chain([Value::Text(self.raw.clone()), Value::Integer(self.source_ts.as_ms()), deleted_at]).collect()
    }

    /// What the daemon keeps as the row's address.
    pub fn reference(&self) -> RemoteRef {
        RemoteRef { id: format!("{}:{}", self.table().name, self.key.join("/")), url: None }
    }

    /// Whether it says that a person was deleted.
    pub(super) fn ends_person(&self) -> bool {
        self.kind == ItemKind::User && self.deleted
    }

    /// The workspace and the person that stand in it.
    pub(super) fn who(&self) -> Option<(String, String)> {
        Some((self.key.first()?.clone(), self.person.clone()?))
    }

    /// Takes the person out who stands in it.
    pub(super) fn forget(&mut self) {
        let table = self.table();
        table.columns.iter().filter(|column| column.personal).for_each(|column| drop(self.values.remove(column.name)));
        self.raw = forget_raw(table, &self.raw, self.person.as_deref().unwrap_or_default());
    }
}

/// The raw fields of a row without a person; where they cannot be read, nothing is left of them.
pub(super) fn forget_raw(table: &Table, raw: &str, who: &str) -> String {
    let mut raw: Map<String, Json> = serde_json::from_str(raw).unwrap_or_default();
    if table.is_person() {
        person::forget(&mut raw);
    } else {
        person::forget_in(&mut raw, who);
    }
    raw_text(&raw)
}

fn raw_text(raw: &Map<String, Json>) -> String {
    // Maps of JSON values always have a text.
    serde_json::to_string(raw).unwrap_or_default()
}

/// Everything Sleekplan said of an item, with what is escaped as the characters it stands for.
fn raw_of(item: &Item) -> String {
    let has_nested = item.id.kind().is_child() && item.fields.get(NESTED).is_some();
    match item.fields.as_text() {
        Some(text) if !has_nested && !text.contains("\\u") => text.to_owned(),
        _ => {
            let kept = item.fields.as_map().iter().filter(|(name, _)| !has_nested || *name != NESTED);
            raw_text(&kept.map(|(name, json)| (value::printable(name), value::shown(json))).collect())
        }
    }
}

/// What is to be done for a change: its row is put.
pub fn plan(change: &Change<'_>) -> Plan<Op> {
    let row = row_of(change.item, change.product);
    if row.key.len() != row.table().key.len() + 1 {
        return Plan::Skip(Reason::new("its id does not fit its table"));
    }
    let content = Hash::of_json(&(&change.item.fields, change.item.at, change.item.deleted));
    let shown = Hash::of_json(&(&row.key, &row.values, row.source_ts, row.deleted));
    let effect = Effect::Link { content, rendering: Hash::of_parts([shown.as_bytes().as_slice(), row.raw.as_bytes()]) };
    let op = Op::Put(Arc::new(row));
    Plan::Run(vec![Step { name: StepName::new("write row"), part: ROW, effect, repeat: Repeat::Idempotent, op }])
}

fn row_of(item: &Item, product: &Product) -> Row {
    let table = Table::of(item.id.kind());
    let parent = item.id.parent().map(|parent| parent.id().to_owned());
    let key = [item.id.product().to_string()].into_iter().chain(parent).chain([item.id.id().to_owned()]).collect();
    let values = table.columns.iter().filter_map(|column| Some((Cow::Borrowed(column.name), value_of(item, product, column)?))).collect();
    let (kind, person, raw) = (item.id.kind(), person_of(item, table), raw_of(item));
    let mut row = Row { kind, key, person, values, raw, source_ts: item.at, deleted: item.deleted };
    if row.ends_person() {
        row.forget();
    }
    row
}

fn value_of(item: &Item, product: &Product, column: &Column) -> Option<Json> {
    let fields = &item.fields;
    let read = |name: &str, kind: Type| value::read(fields, name, kind, product);
    match column.source {
        Source::Field => read(column.name, column.kind),
        Source::First(names) => names.iter().filter(|name| fields.some_text(name).is_some()).find_map(|name| read(name, column.kind)),
        Source::UserId => user_id(fields).map(Json::String),
        Source::StatusLabel => labelled(fields, "status", |key| product.status_label(key).to_owned()),
        Source::TypeLabel => labelled(fields, "type", |key| product.type_label(key).to_owned()),
    }
}

fn labelled(fields: &Fields, name: &str, label: impl Fn(&str) -> String) -> Option<Json> {
    fields.some_text(name).map(|key| Json::String(value::word(&label(&key))))
}

fn user_id(fields: &Fields) -> Option<String> {
    let nested = fields.get("user").and_then(|user| id_of(user.get(PERSON_ID)?));
    nested.or_else(|| fields.id(PERSON_ID)).map(|id| value::word(&id))
}

fn person_of(item: &Item, table: &Table) -> Option<String> {
    if table.key.contains(&PERSON_ID) {
        return Some(item.id.id().to_owned());
    }
    user_id(&item.fields).filter(|_| table.names_person())
}

/// The row as a dry run shows it, below the address of the database.
pub fn preview(op: &Op, scope: &str) -> Vec<Preview> {
    let Op::Put(row) = op;
    let body = serde_json::json!({"key": row.key, "values": row.values, "source_ts": row.source_ts.as_ms(), "deleted": row.deleted});
    vec![Preview { method: "UPSERT".to_owned(), url: format!("{scope}/{}", row.table().name), headers: BTreeMap::new(), body }]
}
