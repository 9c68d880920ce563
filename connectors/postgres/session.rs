//! A connection to a PostgreSQL server, and PostgreSQL's own words.
//!
//! tokio-postgres wants somebody to drive the connection. Nobody else does it: it is driven while one of its calls is waited for.

use std::collections::HashMap;
use std::error::Error as _;
use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;

use bytes::BytesMut;
use futures_util::FutureExt;
use futures_util::future::try_join_all;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt;
use tokio_postgres::config::SslMode;
use tokio_postgres::error::{Error, SqlState};
use tokio_postgres::types::{IsNull, ToSql, Type as Sql, to_sql_checked};
use tokio_postgres::{Client, Config, NoTls, Statement};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::config::{Address, Protection, Server};
use crate::contract::{Cause, Failure, Limit};
use crate::kit::database::{self, Bound, Dialect, Type, Value};

/// What drives a connection; it ends with it.
type Line = Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>;

/// PostgreSQL's words. Times and JSON are bound as texts.
pub(super) fn dialect(schema: &str) -> Dialect {
    Dialect {
        column: |kind| match kind {
            Type::Text | Type::Word | Type::Id => "TEXT",
            Type::Integer => "BIGINT",
            Type::Real => "DOUBLE PRECISION",
            Type::Flag => "BOOLEAN",
            Type::Time => "TIMESTAMPTZ",
            Type::Json => "JSONB",
        },
        bound: |at, kind| match kind {
            Type::Time => format!("${at}::text::timestamptz"),
            Type::Json => format!("${at}::text::jsonb"),
            _ => format!("${at}"),
        },
        vote_week: "(date_trunc('week', coalesce(\"created\", to_timestamp(\"source_ts\" / 1000.0)) AT TIME ZONE 'UTC'))::date",
        begin: "BEGIN",
        prefix: format!("\"{schema}\"."),
    }
}

/// A connection.
pub(super) struct Session {
    client: Client,
    line: Line,
    ready: HashMap<String, Statement>,
    schema: String,
}

impl Session {
    /// Connects.
    pub(super) async fn connect(address: &Address, schema: &str) -> Result<Self, Failure> {
        let config = config(address);
        let (client, line): (Client, Line) = match &address.protection {
            Protection::None => {
                let (client, line) = config.connect(NoTls).await.map_err(|error| unconnected(&error))?;
                (client, Box::pin(line))
            }
            Protection::Tls(roots) => {
                let tls = MakeRustlsConnect::new(tls(roots.as_deref())?);
                let (client, line) = config.connect(tls).await.map_err(|error| unconnected(&error))?;
                (client, Box::pin(line))
            }
        };
        Ok(Self { client, line, ready: HashMap::new(), schema: schema.to_owned() })
    }

    /// The same, unless it has ended meanwhile: the server was stopped, or a firewall forgot it.
    pub(super) fn if_alive(mut self) -> Option<Self> {
        (&mut self.line).now_or_never().is_none().then_some(self)
    }

    /// Whether the schema is there.
    pub(super) async fn has_schema(&mut self) -> Result<bool, Failure> {
        self.holds("SELECT nspname::text FROM pg_namespace WHERE nspname::text = $1").await
    }

    /// Whether it may make tables in the schema, or the schema where there is none.
    pub(super) async fn may_make_tables(&mut self) -> Result<bool, Failure> {
        if self.has_schema().await? {
            self.holds("SELECT 'yes' WHERE has_schema_privilege($1::text, 'CREATE')").await
        } else {
            self.holds("SELECT $1::text WHERE has_database_privilege(current_database(), 'CREATE')").await
        }
    }

    async fn holds(&mut self, sql: &str) -> Result<bool, Failure> {
        let schema = Value::Text(self.schema.clone());
        let answers = database::Session::query(self, vec![(sql, vec![schema])]).await?;
        Ok(answers.iter().any(|rows| !rows.is_empty()))
    }

    /// Statements that are not ready yet are made so.
    async fn prepare(&mut self, all: &[Bound<'_>]) -> Result<(), Failure> {
        for (sql, _) in all {
            if !self.ready.contains_key(*sql) {
                let statement = drive(&mut self.line, self.client.prepare(sql)).await?;
                self.ready.insert((*sql).to_owned(), statement);
            }
        }
        Ok(())
    }
}

impl database::Session for Session {
    async fn run(&mut self, sql: &str) -> Result<(), Failure> {
        drive(&mut self.line, self.client.batch_execute(sql)).await
    }

    async fn execute(&mut self, all: Vec<Bound<'_>>) -> Result<(), Failure> {
        self.prepare(&all).await?;
        let (client, ready) = (&self.client, &self.ready);
        // All are under way at once, in this order; the server answers them one by one.
        let each = all.iter().filter_map(|(sql, values)| Some((ready.get(*sql)?, values)));
        let sent = each.map(|(statement, values)| client.execute_raw(statement, values.iter().map(|value| value as &(dyn ToSql + Sync))));
        drive(&mut self.line, try_join_all(sent)).await.map(drop)
    }

    async fn query(&mut self, all: Vec<Bound<'_>>) -> Result<Vec<Vec<Vec<String>>>, Failure> {
        self.prepare(&all).await?;
        let (client, ready) = (&self.client, &self.ready);
        let each = all.iter().filter_map(|(sql, values)| Some((ready.get(*sql)?, values)));
        let asked = each.map(|(statement, values)| async move {
            let values: Vec<&(dyn ToSql + Sync)> = values.iter().map(|value| value as &(dyn ToSql + Sync)).collect();
            let rows = client.query(statement, &values).await?;
            let texts = |row: &tokio_postgres::Row| {
                (0..row.len()).map(|at| Ok(row.try_get::<_, Option<String>>(at)?.unwrap_or_default())).collect()
            };
            rows.iter().map(texts).collect()
        });
        drive(&mut self.line, try_join_all(asked)).await
    }

    async fn has_table(&mut self, name: &str) -> Result<bool, Failure> {
        let name = Value::Text(format!("\"{}\".\"{name}\"", self.schema));
        let answers = self.query(vec![("SELECT 'yes' WHERE to_regclass($1::text) IS NOT NULL", vec![name])]).await?;
        Ok(answers.iter().any(|rows| !rows.is_empty()))
    }
}

/// Waits for `work`, and drives the connection until it is done. When the connection ends first, nobody knows how far the server came.
async fn drive<T>(line: &mut Line, work: impl Future<Output = Result<T, Error>>) -> Result<T, Failure> {
    tokio::select! {
        biased;
        done = work => done.map_err(|error| failed(&error)),
        ended = line => Err(ended.err().map_or_else(|| lost("the server has closed the connection"), |error| failed(&error))),
    }
}

fn lost(what: &str) -> Failure {
    Failure::Unknown { retry_after: None, source: Cause::new(what) }
}

fn config(address: &Address) -> Config {
    let mut config = Config::new();
    match &address.server {
        Server::Host(host) => config.host(host),
        Server::Socket(folder) => config.host_path(folder),
    };
    config.port(address.port).user(&address.user).dbname(&address.database).application_name("sleeksync");
    config.ssl_mode(if address.protection == Protection::None { SslMode::Disable } else { SslMode::Require });
    if let Some(password) = &address.password {
        config.password(password.expose());
    }
    config
}

/// Certificates are always checked: against the authorities of this file, or those of this machine.
fn tls(roots: Option<&Path>) -> Result<ClientConfig, Failure> {
    let unusable = |what: String| Failure::Unauthorized { source: Cause::new(what) };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| unusable(error.to_string()))?;
    let Some(path) = roots else {
        let verified = builder.with_platform_verifier().map_err(|error| unusable(error.to_string()))?;
        return Ok(verified.with_no_client_auth());
    };
    let said = |error: &dyn std::fmt::Display| unusable(format!("sslrootcert {}: {error}", path.display()));
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path).map_err(|error| said(&error))? {
        store.add(certificate.map_err(|error| said(&error))?).map_err(|error| said(&error))?;
    }
    Ok(builder.with_root_certificates(store).with_no_client_auth())
}

impl ToSql for Value {
    fn to_sql(&self, kind: &Sql, out: &mut BytesMut) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self {
            Value::Null => Ok(IsNull::Yes),
            Value::Text(text) => text.to_sql(kind, out),
            Value::Integer(number) => number.to_sql(kind, out),
            Value::Real(number) => number.to_sql(kind, out),
            Value::Flag(flag) => flag.to_sql(kind, out),
        }
    }

    // Values fit their columns: `Value::fitting` sees to that.
    fn accepts(_: &Sql) -> bool {
        true
    }

    to_sql_checked!();
}

/// Why there is no connection: nothing was done.
fn unconnected(error: &Error) -> Failure {
    if error.as_db_error().is_some() {
        return failed(error);
    }
    let source = Cause::new(error.source().map_or_else(|| error.to_string(), |source| format!("{error}: {source}")));
    let is_reached = error.source().is_some_and(|source| !source.is::<std::io::Error>());
    if is_reached {
        // It was reached, and wants what the address does not give: a password, another kind of proof, TLS.
        return Failure::Unauthorized { source };
    }
    Failure::Transient { retry_after: None, scope: Limit::Item, source }
}

/// What the server said, by its codes (postgresql.org/docs, appendix A).
fn failed(error: &Error) -> Failure {
    let Some(said) = error.as_db_error() else {
        return lost(&error.source().map_or_else(|| error.to_string(), |source| format!("{error}: {source}")));
    };
    let source = Cause::new(format!("{} ({})", said.message(), said.code().code()));
    class(said.code(), source)
}

fn class(code: &SqlState, source: Cause) -> Failure {
    let is = |codes: &[&str]| codes.iter().any(|begin| code.code().starts_with(begin));
    // Serialization, deadlock, locks, shutting down or starting, a standby that may become the primary, resources: it passes, and the
    // transaction was rolled back.
    if is(&["08", "40001", "40P01", "55P03", "57P0", "57014", "25006", "53"]) {
        return Failure::Transient { retry_after: None, scope: Limit::Item, source };
    }
    // One value that cannot be stored.
    if is(&["22", "23", "54"]) {
        return Failure::Rejected { source };
    }
    // Credentials, privileges, the database, or tables that somebody has changed: no row would fare better.
    Failure::Unauthorized { source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_its_class() {
        for (code, expected) in [
            ("08006", "transient"),
            ("40001", "transient"),
            ("57P01", "transient"),
            ("53100", "transient"),
            ("25006", "transient"),
            ("22021", "rejected"),
            ("22P05", "rejected"),
            ("23514", "rejected"),
            ("54000", "rejected"),
            ("28P01", "unauthorized"),
            ("3D000", "unauthorized"),
            ("42501", "unauthorized"),
            ("42P01", "unauthorized"),
        ] {
            assert_eq!(class(&SqlState::from_code(code), Cause::new("x")).class(), expected, "{code}");
        }
    }
}
