//! What stands in the demo's database, read as any program would read it.

use std::path::Path;

use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags};

/// How many rows each table has.
const COUNTS: &str = "SELECT 'feedback' AS \"table\", count(*) AS rows FROM feedback UNION ALL SELECT 'votes', count(*) FROM votes \
                      UNION ALL SELECT 'entries', count(*) FROM entries UNION ALL SELECT 'open_feedback', count(*) FROM open_feedback";
/// The changelog as it stands.
const ENTRIES: &str =
    "SELECT changelog_id, title, draft, feedback_title, total_up FROM changelog_with_feedback ORDER BY changelog_id LIMIT 20";

/// The database in a few lines; what it says where it cannot be read.
pub(super) fn lines(path: &Path) -> Vec<String> {
    let read = || -> rusqlite::Result<Vec<String>> {
        let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        Ok([table(&connection, COUNTS)?, vec![String::new()], table(&connection, ENTRIES)?].concat())
    };
    read().unwrap_or_else(|error| vec![error.to_string()])
}

/// The answer to a question in columns.
fn table(connection: &Connection, sql: &str) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare(sql)?;
    let heads: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let rows =
        statement.query_map([], |row| (0..heads.len()).map(|at| row.get(at).map(shown)).collect::<rusqlite::Result<Vec<String>>>())?;
    let rows: Vec<Vec<String>> = std::iter::once(Ok(heads.clone())).chain(rows).collect::<rusqlite::Result<_>>()?;
    let width = |at: usize| rows.iter().filter_map(|row| row.get(at)).map(|cell| cell.chars().count()).max().unwrap_or(0);
    let padded = |(at, cell): (usize, &String)| {
        let width = width(at);
        format!("{cell:<width$}")
    };
    let line = |row: &Vec<String>| row.iter().enumerate().map(padded).collect::<Vec<_>>().join("  ");
    Ok(rows.iter().map(|row| line(row).trim_end().to_owned()).collect())
}

fn shown(value: Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::Integer(number) => number.to_string(),
        Value::Real(number) => number.to_string(),
        Value::Text(text) => text,
        Value::Blob(bytes) => format!("{} bytes", bytes.len()),
    }
}
