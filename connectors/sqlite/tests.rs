//! The connector against files of its own.

use rusqlite::Connection;
use rusqlite::types::Value as Sql;
use serde_json::{Map, Value, json};
use tempfile::TempDir;

use super::*;
use crate::testing::database::{self as suite, Place};
use crate::testing::{Engine, Nobody, feedback};

/// A folder with a database in it, gone with the test.
struct Here(TempDir);

impl Here {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> std::path::PathBuf {
        self.0.path().join("copy.db")
    }

    fn ask(&self, sql: &str) -> Vec<Map<String, Value>> {
        let connection = Connection::open(self.path()).unwrap();
        let mut statement = connection.prepare(sql).unwrap();
        let names: Vec<String> = statement.column_names().into_iter().map(str::to_owned).collect();
        let rows = statement.query_map([], |row| names.iter().enumerate().map(|(at, name)| Ok((name.clone(), shown(row.get(at)?)))).collect());
        rows.unwrap().collect::<rusqlite::Result<_>>().unwrap()
    }
}

fn shown(value: Sql) -> Value {
    match value {
        Sql::Null => Value::Null,
        Sql::Integer(number) => json!(number),
        Sql::Real(number) => json!(number),
        Sql::Text(text) => json!(text),
        Sql::Blob(bytes) => json!(bytes),
    }
}

impl Place for Here {
    type Connector = Sqlite;

    fn connector(&self) -> Sqlite {
        Sqlite::new(Settings { path: self.path() }).unwrap()
    }

    async fn rows(&self, name: &str) -> Vec<Map<String, Value>> {
        self.ask(&format!("SELECT * FROM {name}"))
    }
}

macro_rules! scenarios {
    ($($name:ident)*) => { $(
        #[tokio::test]
        async fn $name() {
            if let Err(how) = suite::$name(&Here::new()).await {
                panic!("{how}");
            }
        }
    )* };
}

scenarios! {
    every_kind_has_its_row
    the_newest_state_wins
    odd_values_survive
    a_deleted_person_stands_nowhere
    the_views_answer
    many_at_once_are_written
    nothing_is_written_without_news
}
