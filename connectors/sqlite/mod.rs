//! `sqlite`: everything Sleekplan tells, as tables of a SQLite file.
//!
//! One table for each kind of item, made and kept by the connector; see `kit/database` for what is promised. The file is in WAL mode, so that
//! others may read while it is written, and every transaction is synced before it counts.

mod config;
mod session;

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;

pub use config::Settings;

use crate::contract::{
    Capabilities, Cause, Change, Connector, Cx, Failure, Links, Plan, PlanError, Preview, RemoteKey, RemoteRef, Scope, SettingsError, Time,
};
use crate::kit::database::{self, Gather, Op, Row, Statements, Writer, aside};
use crate::registry::Kind;
use session::Sqlite as Session;

/// Its row in the registry.
pub const KIND: Kind = Kind {
    name: Sqlite::KIND,
    capabilities: Sqlite::CAPABILITIES,
    example: include_str!("../../config/connectors/sqlite.toml"),
    build: crate::contract::build::<Sqlite>,
    paths: &["path"],
    templates: &[],
};

/// A SQLite file.
pub struct Sqlite {
    settings: Settings,
    rows: Gather<File>,
}

/// The file, open or not.
struct File {
    settings: Settings,
    statements: Arc<Statements>,
    open: Option<Open>,
}

/// A connection, and which file it has open: one that was put in its place is another.
struct Open {
    session: Session,
    file: Option<(u64, u64)>,
}

impl Connector for Sqlite {
    const KIND: &'static str = "sqlite";
    const CAPABILITIES: Capabilities = database::CAPABILITIES;
    type Settings = Settings;
    type Op = Op;

    fn new(settings: Settings) -> Result<Self, Vec<SettingsError>> {
        settings.validate()?;
        let statements = Arc::new(Statements::new(session::dialect()));
        let rows = Gather::new(File { settings: settings.clone(), statements, open: None });
        Ok(Self { settings, rows })
    }

    fn scope(&self) -> Scope {
        Scope(format!("sqlite:{}", self.settings.path.display()))
    }

    fn plan(&self, change: &Change<'_>, _links: &Links) -> Result<Plan<Op>, PlanError> {
        Ok(database::plan(change))
    }

    fn preview(&self, op: &Op, _links: &Links) -> Vec<Preview> {
        database::preview(op, &self.settings.path.display().to_string())
    }

    async fn apply(&self, op: &Op, _cx: &Cx<'_>) -> Result<Option<RemoteRef>, Failure> {
        let Op::Put(row) = op;
        self.rows.put(Arc::clone(row)).await?;
        Ok(Some(row.reference()))
    }

    async fn find(&self, _key: &RemoteKey, _first_intent_at: Time, _cx: &Cx<'_>) -> Result<Option<RemoteRef>, Failure> {
        // No step is keyed: a row is found by its primary key.
        Ok(None)
    }

    async fn check(&self, _cx: &Cx<'_>) -> Result<(), Failure> {
        let settings = self.settings.clone();
        aside(move || probe(&settings)).await.map_err(|error| panicked(&error))?
    }
}

impl Writer for File {
    async fn write(&mut self, rows: Arc<Vec<Arc<Row>>>) -> Result<(), Failure> {
        let file = identity(&self.settings.path);
        let open = self.open.take().filter(|open| file.is_some() && open.file == file);
        let (settings, statements) = (self.settings.clone(), Arc::clone(&self.statements));
        // It takes the connection along: one that failed, or that nobody waits for any more, is closed.
        let written = aside(move || {
            let mut open = match open {
                Some(open) => open,
                None => connect(&settings, &statements)?,
            };
            session::at_once(database::write(&mut open.session, &statements, &rows))?;
            Ok::<Open, Failure>(open)
        });
        self.open = Some(written.await.map_err(|error| panicked(&error))??);
        Ok(())
    }
}

/// Opens the file, makes it where there is none, and brings its tables up to date.
fn connect(settings: &Settings, statements: &Statements) -> Result<Open, Failure> {
    let mut session = Session::open(&settings.path)?;
    session::at_once(database::migrate(&mut session, statements, &[]))?;
    Ok(Open { session, file: identity(&settings.path) })
}

/// Which file it is, whatever it is called.
fn identity(path: &Path) -> Option<(u64, u64)> {
    let file = std::fs::metadata(path).ok()?;
    Some((file.dev(), file.ino()))
}

/// Whether the file can be used, or be made where there is none. Makes nothing.
fn probe(settings: &Settings) -> Result<(), Failure> {
    if settings.path.exists() {
        return Session::open_existing(&settings.path)?.probe(&Statements::new(session::dialect()));
    }
    let folder = settings.folder();
    let unusable = |what: &str| Failure::Unauthorized { source: Cause::new(format!("the folder {} {what}", folder.display())) };
    match std::fs::metadata(folder) {
        Ok(found) if !found.is_dir() => Err(unusable("is none")),
        Ok(_) if rustix::fs::access(folder, rustix::fs::Access::WRITE_OK).is_ok() => Ok(()),
        Ok(_) => Err(unusable("may not be written")),
        Err(error) => Err(unusable(&format!("cannot be used: {error}"))),
    }
}

/// What panicked may have written, or not.
fn panicked(error: &tokio::task::JoinError) -> Failure {
    Failure::Unknown { retry_after: None, source: Cause::new(error.to_string()) }
}

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod tests;
