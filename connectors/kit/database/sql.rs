//! The statements, made from the tables. Values are bound, never written into them.

use super::tables::{Column, PERSON_ID, TABLES, Table, Type};
use crate::contract::ItemKind;

/// The columns that every table has behind its own.
const COMMON: &[(&str, Type, bool)] = &[("raw", Type::Json, true), ("source_ts", Type::Integer, true), ("deleted_at", Type::Time, false)];
/// Statuses that say that nothing more will happen, in lower case. Sleekplan's keys are opaque and its page names no closed ones: a guess, from
/// the words a consumer of its webhooks maps.
const CLOSED: &str =
    "'complete', 'completed', 'closed', 'done', 'shipped', 'released', 'merged', 'duplicate', 'declined', 'rejected', 'won''t do'";

/// The few words in which the databases differ.
#[derive(Clone, Debug)]
pub struct Dialect {
    /// What a column of this type is called.
    pub column: fn(Type) -> &'static str,
    /// The place of a bound value, by its number from 1.
    pub bound: fn(usize, Type) -> String,
    /// The Monday of the week in which a vote was given, from its `created` and `source_ts`.
    pub vote_week: &'static str,
    /// What begins a transaction that will write.
    pub begin: &'static str,
    /// What stands in front of a table's name; empty, or a quoted schema with a dot.
    pub prefix: String,
}

/// The statements of one database.
#[derive(Clone, Debug)]
pub struct Statements {
    /// What begins a transaction.
    pub begin: &'static str,
    dialect: Dialect,
    puts: Vec<(ItemKind, String)>,
    deleted_person: String,
}

impl Statements {
    /// Those of this dialect.
    pub fn new(dialect: Dialect) -> Self {
        let users = dialect.table(Table::of(ItemKind::User).name);
        let (product, who) = ((dialect.bound)(1, Type::Id), (dialect.bound)(2, Type::Id));
        let deleted_person = format!(
            "SELECT \"{PERSON_ID}\" FROM {users} WHERE \"product_id\" = {product} AND \"{PERSON_ID}\" = {who} AND \"deleted_at\" IS NOT NULL"
        );
        let puts = TABLES.iter().map(|table| (table.kind, put(&dialect, table))).collect();
        Self { begin: dialect.begin, dialect, puts, deleted_person }
    }

    /// Writes a row, unless a newer one stands. Bound: [`super::Row::values`].
    pub fn put(&self, kind: ItemKind) -> &str {
        self.puts.iter().find(|(of, _)| *of == kind).map_or("", |(_, sql)| sql)
    }

    /// Whether a person was deleted. Bound: product, person.
    pub fn deleted_person(&self) -> &str {
        &self.deleted_person
    }

    /// Key and raw fields of the rows in which a person stands. Bound: product, person.
    pub fn rows_of_person(&self, table: &Table) -> String {
        let key: Vec<String> = key_of(table).map(quoted).collect();
        let (product, who) = ((self.dialect.bound)(1, Type::Id), (self.dialect.bound)(2, Type::Id));
        format!(
            "SELECT {}, CAST(\"raw\" AS TEXT) FROM {} WHERE \"product_id\" = {product} AND \"{PERSON_ID}\" = {who}",
            key.join(", "),
            self.dialect.table(table.name)
        )
    }

    /// Empties the personal columns of a row and writes its raw fields. Bound: the raw fields, the key.
    pub fn forget(&self, table: &Table) -> String {
        let emptied = table.columns.iter().filter(|column| column.personal).map(|column| format!(", {} = NULL", quoted(column.name)));
        let key = key_of(table).zip(2..).map(|(name, at)| format!("{} = {}", quoted(name), (self.dialect.bound)(at, Type::Id)));
        format!(
            "UPDATE {} SET \"raw\" = {}{} WHERE {}",
            self.dialect.table(table.name),
            (self.dialect.bound)(1, Type::Json),
            emptied.collect::<String>(),
            key.collect::<Vec<_>>().join(" AND ")
        )
    }

    /// The version of what stands in the database.
    pub fn version(&self) -> String {
        format!("SELECT CAST(max(\"version\") AS TEXT) FROM {}", self.dialect.table(super::schema::TABLE))
    }

    /// Makes everything, of this version.
    pub fn create(&self, version: i64) -> Vec<String> {
        let versions = self.dialect.table(super::schema::TABLE);
        let mut all = vec![format!("CREATE TABLE {versions} (\"version\" {} PRIMARY KEY)", (self.dialect.column)(Type::Integer))];
        for table in TABLES {
            all.push(create(&self.dialect, table));
            all.extend(table.indexes.iter().map(|columns| index(&self.dialect, table, columns)));
        }
        all.extend(views(&self.dialect));
        all.push(format!("INSERT INTO {versions} (\"version\") VALUES ({version})"));
        all
    }
}

impl Dialect {
    /// A table's full name.
    fn table(&self, name: &str) -> String {
        format!("{}{}", self.prefix, quoted(name))
    }
}

/// Names are ours, of letters and underscores; some of them are words of SQL.
fn quoted(name: &str) -> String {
    format!("\"{name}\"")
}

fn key_of(table: &Table) -> impl Iterator<Item = &'static str> {
    std::iter::once("product_id").chain(table.key.iter().copied())
}

/// Every column in the order of a row's values, with its type and whether it always holds something.
fn columns_of(table: &Table) -> Vec<(&'static str, Type, bool)> {
    let key = key_of(table).map(|name| (name, Type::Id, true));
    let own = table.columns.iter().map(|Column { name, kind, .. }| (*name, *kind, false));
    key.chain(own).chain(COMMON.iter().copied()).collect()
}

fn put(dialect: &Dialect, table: &Table) -> String {
    let columns = columns_of(table);
    let names: Vec<String> = columns.iter().map(|(name, ..)| quoted(name)).collect();
    let bound: Vec<String> = columns.iter().zip(1..).map(|((_, kind, _), at)| (dialect.bound)(at, *kind)).collect();
    let set: Vec<String> = names.iter().skip(table.key.len() + 1).map(|name| format!("{name} = excluded.{name}")).collect();
    let key: Vec<String> = key_of(table).map(quoted).collect();
    format!(
        "INSERT INTO {} AS known ({}) VALUES ({}) ON CONFLICT ({}) DO UPDATE SET {} WHERE known.\"source_ts\" <= excluded.\"source_ts\"",
        dialect.table(table.name),
        names.join(", "),
        bound.join(", "),
        key.join(", "),
        set.join(", ")
    )
}

fn create(dialect: &Dialect, table: &Table) -> String {
    let columns = columns_of(table)
        .into_iter()
        .map(|(name, kind, always)| format!("{} {}{}", quoted(name), (dialect.column)(kind), if always { " NOT NULL" } else { "" }));
    let key: Vec<String> = key_of(table).map(quoted).collect();
    format!("CREATE TABLE {} ({}, PRIMARY KEY ({}))", dialect.table(table.name), columns.collect::<Vec<_>>().join(", "), key.join(", "))
}

fn index(dialect: &Dialect, table: &Table, columns: &[&str]) -> String {
    let name = format!("{}_by_{}", table.name, columns.iter().filter(|name| **name != "product_id").copied().collect::<Vec<_>>().join("_"));
    let columns: Vec<String> = columns.iter().map(|name| quoted(name)).collect();
    // An index lies where its table lies.
    format!("CREATE INDEX {} ON {} ({})", quoted(&name), dialect.table(table.name), columns.join(", "))
}

fn views(dialect: &Dialect) -> [String; 3] {
    let [feedback, votes, entries] = ["feedback", "votes", "entries"].map(|name| dialect.table(name));
    let view = |name: &str, query: String| format!("CREATE VIEW {} AS {query}", dialect.table(name));
    [
        view(
            "open_feedback",
            format!(
                "SELECT * FROM {feedback} WHERE \"deleted_at\" IS NULL AND coalesce(\"is_active\", TRUE) AND \"merge_id\" IS NULL \
                 AND lower(coalesce(\"status_label\", \"status\", '')) NOT IN ({CLOSED})"
            ),
        ),
        view(
            "votes_per_week",
            format!(
                "SELECT \"product_id\", \"feedback_id\", {} AS \"week\", count(*) AS \"votes\", \
                 sum(CASE WHEN \"vote\" < 0 THEN 0 ELSE 1 END) AS \"up\", sum(CASE WHEN \"vote\" < 0 THEN 1 ELSE 0 END) AS \"down\" \
                 FROM {votes} WHERE \"deleted_at\" IS NULL GROUP BY 1, 2, 3",
                dialect.vote_week
            ),
        ),
        view(
            "changelog_with_feedback",
            format!(
                "SELECT e.\"product_id\", e.\"changelog_id\", e.\"title\", e.\"type\", e.\"type_label\", e.\"created\", \
                 e.\"draft\", e.\"scheduled\", e.\"enabled\", e.\"segment\", e.\"feedback_id\", f.\"title\" AS \"feedback_title\", \
                 f.\"status\" AS \"feedback_status\", f.\"total_up\", f.\"total_down\", f.\"total_subscriber\" \
                 FROM {entries} e LEFT JOIN {feedback} f ON f.\"product_id\" = e.\"product_id\" AND f.\"feedback_id\" = e.\"feedback_id\" \
                 WHERE e.\"deleted_at\" IS NULL"
            ),
        ),
    ]
}
