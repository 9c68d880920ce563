//! A SQLite file as any program reads it.

use std::path::{Path, PathBuf};

use rusqlite::Connection;
use rusqlite::types::Value as Sql;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::database::{Place, Row, Tables};
use crate::contract::Connector;
use crate::kit::database::{TABLES, Type};
use crate::sqlite::{Settings, Sqlite};

/// A file that the connector writes.
pub struct File {
    path: PathBuf,
    /// Gone with the test.
    _folder: Option<TempDir>,
}

impl File {
    /// One in a folder of its own; it is not there yet.
    pub fn fresh() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        Self { path: folder.path().join("copy.db"), _folder: Some(folder) }
    }

    /// The one at this path.
    pub fn at(path: PathBuf) -> Self {
        Self { path, _folder: None }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The rows that a query finds; none in front of the first one, when there is no table.
    pub fn ask(&self, sql: &str) -> Vec<Row> {
        match self.asked(sql) {
            Err(error) if error.to_string().contains("no such table") => Vec::new(),
            asked => asked.expect("an answer"),
        }
    }

    fn asked(&self, sql: &str) -> rusqlite::Result<Vec<Row>> {
        let connection = Connection::open(&self.path)?;
        let mut statement = connection.prepare(sql)?;
        let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
        let rows =
            statement.query_map([], |row| names.iter().enumerate().map(|(at, name)| Ok((name.clone(), shown(row.get(at)?)))).collect());
        rows?.collect()
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

impl Tables for File {
    async fn rows(&self, name: &str) -> Vec<Row> {
        let mut rows = self.ask(&format!("SELECT * FROM {name}"));
        let columns = TABLES.iter().filter(|table| table.name == name).flat_map(|table| table.columns);
        let json: Vec<&str> = columns.filter(|column| column.kind == Type::Json).map(|column| column.name).chain(["raw"]).collect();
        for value in
            rows.iter_mut().flat_map(|row| row.iter_mut()).filter(|(name, _)| json.contains(&name.as_str())).map(|(_, value)| value)
        {
            if let Some(text) = value.as_str() {
                *value = serde_json::from_str(text).expect("JSON");
            }
        }
        rows
    }
}

impl Place for File {
    type Connector = Sqlite;

    fn connector(&self) -> Sqlite {
        Sqlite::new(Settings { path: self.path.clone() }).expect("settings")
    }
}
