//! The suite's view of `sqlite`: a file of its own, read back as any program would.

use std::sync::Arc;

use rusqlite::Connection;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::Sqlite;
use crate::contract::{RemoteKey, Request, Transport};
use crate::kit::database::TABLES;
use crate::testing::conformance::{Fake, Fixture, Hostile, Rule, conformance};
use crate::testing::database::cases;
use crate::testing::{Case, Nobody};

conformance!(Sqlite, SqliteFixture);

struct SqliteFixture;

/// A database, gone with the test.
struct File(TempDir);

impl Fixture for SqliteFixture {
    type Connector = Sqlite;
    type Fake = File;

    async fn start(&self) -> File {
        File(tempfile::tempdir().expect("a folder"))
    }

    fn cases(&self) -> Vec<Case> {
        cases()
    }

    fn goldens(&self) -> &'static str {
        "sqlite/goldens"
    }

    fn exempt(&self) -> &'static [(Rule, &'static str)] {
        &[
            (Rule::LostAnswer, "a row has the item's own ids as its key: written again, it is the same, and nothing is looked up"),
            (Rule::LookUp, "no step is looked up, see there"),
            (Rule::Statuses, "it speaks to no service, so there is no status; what SQLite says has tests of its own"),
            (Rule::Secrets, "it has no credentials"),
        ]
    }
}

impl File {
    fn open(&self) -> Connection {
        Connection::open(self.0.path().join("copy.db")).expect("a database")
    }

    fn count(&self, sql: &str, key: &str) -> usize {
        // Before the first row there is no table.
        self.open().query_row(sql, [key], |row| row.get::<_, u32>(0)).map_or(0, |count| count as usize)
    }
}

impl Fake for File {
    fn settings(&self, _: &str) -> Value {
        json!({"path": self.0.path().join("copy.db")})
    }

    fn objects(&self, key: &RemoteKey) -> usize {
        // Each case is about one item: of its table, all rows that carry its id.
        let id = key.key().rsplit('-').next().unwrap_or_default();
        let rows = |name: &str, column: &str| self.count(&format!("SELECT count(*) FROM {name} WHERE {column} = ?1"), id);
        let kind = key.key().split('-').nth(2).unwrap_or_default();
        let table = TABLES.iter().find(|table| table.kind.as_str() == kind);
        table.map_or(0, |table| rows(table.name, table.key.last().copied().unwrap_or_default()))
    }

    fn check(&self, text: &Hostile, _: &[Request]) -> Result<(), String> {
        let open = self.open();
        let sound: String = open.query_row("PRAGMA integrity_check", [], |row| row.get(0)).map_err(|error| error.to_string())?;
        let others = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
        let tables: u32 = open.query_row(others, [], |row| row.get(0)).map_err(|error| error.to_string())?;
        let nul: u32 = open
            .query_row("SELECT count(*) FROM feedback WHERE instr(CAST(title AS BLOB), x'00') > 0", [], |row| row.get(0))
            .map_err(|error| error.to_string())?;
        match (sound.as_str(), tables, nul) {
            ("ok", tables, 0) if tables as usize == TABLES.len() + 1 => Ok(()),
            _ => Err(format!("after {}: {sound}, {tables} tables, {nul} titles with U+0000", text.name)),
        }
    }

    fn transport(&self) -> Arc<dyn Transport> {
        Arc::new(Nobody)
    }
}
