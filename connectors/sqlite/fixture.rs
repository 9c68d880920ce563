//! The suite's view of `sqlite`: a file of its own, read back as any program would.

use std::sync::Arc;

use serde_json::{Value, json};

use super::Sqlite;
use crate::contract::{RemoteKey, Request, Transport};
use crate::kit::database::TABLES;
use crate::testing::conformance::{Fake, Fixture, Hostile, Rule, conformance};
use crate::testing::database::{cases, objects};
use crate::testing::sqlite::File;
use crate::testing::{Case, Nobody};

conformance!(Sqlite, SqliteFixture);

struct SqliteFixture;

impl Fixture for SqliteFixture {
    type Connector = Sqlite;
    type Fake = File;

    async fn start(&self) -> File {
        File::fresh()
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

impl Fake for File {
    fn settings(&self, _: &str) -> Value {
        json!({"path": self.path()})
    }

    fn objects(&self, key: &RemoteKey) -> usize {
        objects(key, |name| self.ask(&format!("SELECT * FROM {name}")))
    }

    fn check(&self, text: &Hostile, _: &[Request]) -> Result<(), String> {
        let sound = self.ask("PRAGMA integrity_check");
        let tables = self.ask("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'").len();
        let nul = self.ask("SELECT title FROM feedback WHERE instr(CAST(title AS BLOB), x'00') > 0").len();
        match (json!(sound), tables, nul) {
            (sound, tables, 0) if sound == json!([{"integrity_check": "ok"}]) && tables == TABLES.len() + 1 => Ok(()),
            (sound, ..) => Err(format!("after {}: {sound}, {tables} tables, {nul} titles with U+0000", text.name)),
        }
    }

    fn transport(&self) -> Arc<dyn Transport> {
        Arc::new(Nobody)
    }
}
