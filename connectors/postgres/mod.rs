//! `postgres`: everything Sleekplan tells, as tables of a PostgreSQL database.
//!
//! One table for each kind of item, in a schema of their own, made and kept by the connector; see `kit/database` for what is promised. One
//! connection, which is opened when there is something to write, and opened anew when it was lost.

mod config;
mod session;

use std::sync::Arc;

pub use config::Settings;

use crate::contract::{
    Capabilities, Cause, Change, Connector, Cx, Failure, Links, Plan, PlanError, Preview, RemoteKey, RemoteRef, Scope, SettingsError, Time,
};
use crate::kit::database::{self, Gather, Op, Row, Session as _, Statements, Writer};
use crate::registry::Kind;
use config::{Address, Server};
use session::Session;

/// Its row in the registry.
pub const KIND: Kind = Kind {
    name: Postgres::KIND,
    capabilities: Postgres::CAPABILITIES,
    example: include_str!("../../config/connectors/postgres.toml"),
    build: crate::contract::build::<Postgres>,
    paths: &[],
    templates: &[],
};

/// A PostgreSQL database.
pub struct Postgres {
    scope: String,
    rows: Gather<Database>,
}

/// The database, connected or not.
struct Database {
    address: Address,
    schema: String,
    statements: Statements,
    open: Option<Session>,
}

impl Connector for Postgres {
    const KIND: &'static str = "postgres";
    const CAPABILITIES: Capabilities = database::CAPABILITIES;
    type Settings = Settings;
    type Op = Op;

    fn new(settings: Settings) -> Result<Self, Vec<SettingsError>> {
        let address = settings.address()?;
        let server = match &address.server {
            Server::Host(host) => host,
            Server::Socket(folder) => folder,
        };
        let scope = format!("postgres:{server}:{}/{}/{}", address.port, address.database, settings.schema);
        let statements = Statements::new(session::dialect(&settings.schema));
        Ok(Self { scope, rows: Gather::new(Database { address, schema: settings.schema, statements, open: None }) })
    }

    fn scope(&self) -> Scope {
        Scope(self.scope.clone())
    }

    fn plan(&self, change: &Change<'_>, _links: &Links) -> Result<Plan<Op>, PlanError> {
        Ok(database::plan(change))
    }

    fn preview(&self, op: &Op, _links: &Links) -> Vec<Preview> {
        database::preview(op, &self.scope)
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
        // A connection of its own: the credentials may have changed since the other was opened.
        let (address, schema, statements) = {
            let database = self.rows.writer().await;
            (database.address.clone(), database.schema.clone(), database.statements.clone())
        };
        let mut session = Session::connect(&address, &schema).await?;
        database::known(&mut session, &statements).await?;
        if session.may_make_tables().await? {
            return Ok(());
        }
        Err(Failure::Unauthorized { source: Cause::new(format!("its user may neither make the schema {schema} nor tables in it")) })
    }
}

impl Writer for Database {
    async fn write(&mut self, rows: Arc<Vec<Arc<Row>>>) -> Result<(), Failure> {
        // Taken out: a connection that failed, or that nobody waits for any more, is closed, and with it its transaction.
        let mut session = match self.open.take().and_then(Session::if_alive) {
            Some(session) => session,
            None => self.connect().await?,
        };
        database::write(&mut session, &self.statements, &rows).await?;
        self.open = Some(session);
        Ok(())
    }
}

impl Database {
    async fn connect(&mut self) -> Result<Session, Failure> {
        let mut session = Session::connect(&self.address, &self.schema).await?;
        // A user who may make tables in a schema that is there may not be allowed to make one.
        let make = if session.has_schema().await? { Vec::new() } else { vec![format!("CREATE SCHEMA \"{}\"", self.schema)] };
        session.run("SET synchronous_commit = on").await?;
        database::migrate(&mut session, &self.statements, &make).await?;
        Ok(session)
    }
}

#[cfg(test)]
mod fixture;
