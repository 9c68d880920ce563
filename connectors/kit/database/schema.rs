//! Making the tables, and knowing which version of them stands in a database.
//!
//! A new release that needs another shape counts [`VERSION`] up and says in `steps` how to get there from each older one. What was made by a
//! newer release is left alone.

use super::sql::Statements;
use super::write::Session;
use crate::contract::{Cause, Failure};

/// The table that says which version stands.
pub(super) const TABLE: &str = "sleeksync_schema";
/// The version of the tables as this release knows them.
const VERSION: i64 = 1;

/// Why the tables of a database cannot be used.
#[derive(Debug, thiserror::Error)]
enum SchemaError {
    /// A newer release was here.
    #[error("its tables are of version {0}, which a newer release has made; this one knows {VERSION}")]
    Newer(i64),
    /// Somebody wrote into our table of versions.
    #[error("its table {TABLE} holds no version; it was changed by somebody else")]
    Damaged,
}

impl From<SchemaError> for Failure {
    fn from(error: SchemaError) -> Self {
        // Everything the connector does is concerned, and a person has to decide.
        Failure::Unauthorized { source: Cause::new(error.to_string()) }
    }
}

/// The version that stands, where the table of versions is there.
///
/// # Errors
/// It cannot be read, or is none that this release can use.
async fn known_version<S: Session>(session: &mut S, statements: &Statements) -> Result<i64, Failure> {
    let sql = statements.version();
    let answers = session.query(vec![(&sql, Vec::new())]).await?;
    let version = answers.into_iter().flatten().flatten().next().and_then(|text| text.parse().ok()).ok_or(SchemaError::Damaged)?;
    if version > VERSION { Err(SchemaError::Newer(version).into()) } else { Ok(version) }
}

/// Whether the tables that stand, if any, are such that this release can use them.
///
/// # Errors
/// They are not, or it cannot be found out.
pub async fn known<S: Session>(session: &mut S, statements: &Statements) -> Result<(), Failure> {
    if session.has_table(TABLE).await? { known_version(session, statements).await.map(drop) } else { Ok(()) }
}

/// Makes the tables, or brings them up to this release; `prepare` comes first where nothing is there yet. All of it or nothing.
///
/// # Errors
/// They cannot be made or used.
pub async fn migrate<S: Session>(session: &mut S, statements: &Statements, prepare: &[String]) -> Result<(), Failure> {
    session.run(statements.begin).await?;
    let made = upgrade(session, statements, prepare).await;
    session.run(if made.is_ok() { "COMMIT" } else { "ROLLBACK" }).await.and(made)
}

async fn upgrade<S: Session>(session: &mut S, statements: &Statements, prepare: &[String]) -> Result<(), Failure> {
    let steps = if session.has_table(TABLE).await? {
        steps(known_version(session, statements).await?)
    } else {
        prepare.iter().cloned().chain(statements.create(VERSION)).collect()
    };
    for step in steps {
        session.run(&step).await?;
    }
    Ok(())
}

/// What leads from a version to this release's.
fn steps(_from: i64) -> Vec<String> {
    // There is one version so far.
    Vec::new()
}
