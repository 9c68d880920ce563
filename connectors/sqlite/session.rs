//! A connection to a SQLite file, and SQLite's own words.

use std::path::Path;
use std::time::Duration;

use futures_util::FutureExt;
use rusqlite::types::{ToSqlOutput, Value as Sql};
use rusqlite::{Connection, ErrorCode, OpenFlags, ToSql};

use crate::contract::{Cause, Failure, Limit};
use crate::kit::database::{self, Dialect, Statements, Type, Value};

/// How long another's transaction is waited for; below the time limit of a step, so that it is SQLite that says so.
const BUSY_MAX: Duration = Duration::from_secs(5);
/// Statements that are kept ready: a few for each table.
const READY_MAX: usize = 64;

/// SQLite's words (`INSERT … ON CONFLICT` with an alias: sqlite.org/lang_upsert.html, since 3.24).
pub(super) fn dialect() -> Dialect {
    Dialect {
        column: |kind| match kind {
            Type::Integer | Type::Flag => "INTEGER",
            Type::Real => "REAL",
            Type::Text | Type::Word | Type::Id | Type::Time | Type::Json => "TEXT",
        },
        bound: |at, _| format!("?{at}"),
        vote_week: "date(coalesce(\"created\", datetime(\"source_ts\" / 1000, 'unixepoch')), 'weekday 0', '-6 days')",
        // A transaction that begins by reading could not write when another has written meanwhile.
        begin: "BEGIN IMMEDIATE",
        prefix: String::new(),
    }
}

/// A connection. Nothing in it waits for anything but the disk, so its futures are ready at once.
pub(super) struct Sqlite {
    connection: Connection,
}

/// What a future gives that never waits.
pub(super) fn at_once<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    work.now_or_never().unwrap_or_else(|| Err(Failure::Unknown { retry_after: None, source: Cause::new("SQLite made somebody wait") }))
}

impl Sqlite {
    /// Opens the file, or makes it.
    pub(super) fn open(path: &Path) -> Result<Self, Failure> {
        let session = Self::with(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)?;
        // Others read while we write; every commit is synced.
        session.connection.pragma_update(None, "journal_mode", "WAL").map_err(|error| failed(&error))?;
        session.connection.pragma_update(None, "synchronous", "FULL").map_err(|error| failed(&error))?;
        Ok(session)
    }

    /// Opens a file that is there.
    pub(super) fn open_existing(path: &Path) -> Result<Self, Failure> {
        Self::with(path, OpenFlags::SQLITE_OPEN_READ_WRITE)
    }

    fn with(path: &Path, flags: OpenFlags) -> Result<Self, Failure> {
        // One connection is used by one thread after another, never by two.
        let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX).map_err(|error| failed(&error))?;
        connection.busy_timeout(BUSY_MAX).map_err(|error| failed(&error))?;
        connection.set_prepared_statement_cache_capacity(READY_MAX);
        Ok(Self { connection })
    }

    /// Whether it is a database that can be written, with tables we know or none.
    pub(super) fn probe(mut self, statements: &Statements) -> Result<(), Failure> {
        let mut tables = self.connection.prepare("SELECT count(*) FROM sqlite_schema").map_err(|error| failed(&error))?;
        tables.query_row([], |row| row.get::<_, i64>(0)).map_err(|error| failed(&error))?;
        drop(tables);
        if self.connection.is_readonly("main").map_err(|error| failed(&error))? {
            return Err(Failure::Unauthorized { source: Cause::new("the file may not be written") });
        }
        at_once(database::known(&mut self, statements))
    }
}

impl database::Session for Sqlite {
    async fn run(&mut self, sql: &str) -> Result<(), Failure> {
        self.connection.execute_batch(sql).map_err(|error| failed(&error))
    }

    async fn execute(&mut self, all: Vec<database::Bound<'_>>) -> Result<(), Failure> {
        for (sql, values) in all {
            let mut statement = self.connection.prepare_cached(sql).map_err(|error| failed(&error))?;
            statement.execute(rusqlite::params_from_iter(values.iter())).map_err(|error| failed(&error))?;
        }
        Ok(())
    }

    async fn query(&mut self, all: Vec<database::Bound<'_>>) -> Result<Vec<Vec<Vec<String>>>, Failure> {
        all.into_iter().map(|bound| answer(&self.connection, bound).map_err(|error| failed(&error))).collect()
    }

    async fn has_table(&mut self, name: &str) -> Result<bool, Failure> {
        self.connection.table_exists(None, name).map_err(|error| failed(&error))
    }
}

fn answer(connection: &Connection, (sql, values): database::Bound<'_>) -> rusqlite::Result<Vec<Vec<String>>> {
    let mut statement = connection.prepare_cached(sql)?;
    let columns = statement.column_count();
    let rows = statement.query_map(rusqlite::params_from_iter(values.iter()), |row| {
        (0..columns).map(|at| row.get::<_, Option<String>>(at).map(Option::unwrap_or_default)).collect()
    })?;
    rows.collect()
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Value::Null => ToSqlOutput::Owned(Sql::Null),
            Value::Text(text) => ToSqlOutput::from(text.as_str()),
            Value::Integer(number) => ToSqlOutput::from(*number),
            Value::Real(number) => ToSqlOutput::from(*number),
            Value::Flag(flag) => ToSqlOutput::from(*flag),
        })
    }
}

/// What SQLite said, by its result codes (sqlite.org/rescode.html).
fn failed(error: &rusqlite::Error) -> Failure {
    let source = Cause::new(error.to_string());
    // A statement that does not fit the tables, or what stands in them: somebody has changed them.
    let Some(code) = error.sqlite_error_code() else { return Failure::Unauthorized { source } };
    match code {
        // Another holds it, or there is no room: it passes, and nothing was committed.
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::DiskFull | ErrorCode::OutOfMemory | ErrorCode::SchemaChanged => {
            Failure::Transient { retry_after: None, scope: Limit::Item, source }
        }
        // What the disk failed at may have been the commit.
        ErrorCode::SystemIoFailure | ErrorCode::OperationInterrupted => Failure::Unknown { retry_after: None, source },
        // One value that cannot be stored.
        ErrorCode::ConstraintViolation | ErrorCode::TooBig | ErrorCode::TypeMismatch | ErrorCode::ParameterOutOfRange => {
            Failure::Rejected { source }
        }
        // The file: not ours, damaged, closed to us, or changed by somebody.
        _ => Failure::Unauthorized { source },
    }
}
