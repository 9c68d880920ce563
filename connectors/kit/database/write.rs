//! Writing rows in one transaction.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use super::row::{Row, forget_raw};
use super::sql::Statements;
use super::tables::TABLES;
use super::value::Value;
use crate::contract::Failure;

/// A statement and what is bound to it.
pub type Bound<'a> = (&'a str, Vec<Value>);

/// A connection to a database. After a failure it is not used again.
pub trait Session: Send {
    /// Runs a statement without values: one that begins or ends a transaction, or makes a table.
    fn run(&mut self, sql: &str) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Runs statements in this order.
    fn execute(&mut self, all: Vec<Bound<'_>>) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Asks, and gives for each question the rows of its answer; every column is a text, and an empty one where it is null.
    fn query(&mut self, all: Vec<Bound<'_>>) -> impl Future<Output = Result<Vec<Vec<Vec<String>>>, Failure>> + Send;

    /// Whether one of our tables is there.
    fn has_table(&mut self, name: &str) -> impl Future<Output = Result<bool, Failure>> + Send;
}

/// Writes all of them, or none. A row that is older than what stands changes nothing.
///
/// # Errors
/// Nothing was written, unless the failure says that nobody knows.
pub async fn write<S: Session>(session: &mut S, statements: &Statements, rows: &[Arc<Row>]) -> Result<(), Failure> {
    session.run(statements.begin).await?;
    write_in(session, statements, rows).await?;
    session.run("COMMIT").await
}

async fn write_in<S: Session>(session: &mut S, statements: &Statements, rows: &[Arc<Row>]) -> Result<(), Failure> {
    let mut deleted = deleted_persons(session, statements, rows).await?;
    let mut ended = BTreeSet::new();
    let mut puts = Vec::with_capacity(rows.len());
    for row in rows {
        let mut row = Cow::Borrowed(row.as_ref());
        if let Some(who) = row.who() {
            match row.kind {
                crate::contract::ItemKind::User if row.deleted => {
                    deleted.insert(who.clone());
                    ended.insert(who);
                }
                // Made again under the same id: a person who is known again.
                crate::contract::ItemKind::User => drop(deleted.remove(&who)),
                _ if deleted.contains(&who) => row.to_mut().forget(),
                _ => {}
            }
        }
        puts.push((statements.put(row.kind), row.values()));
    }
    session.execute(puts).await?;
    for who in ended.intersection(&deleted) {
        forget_person(session, statements, who).await?;
    }
    Ok(())
}

/// Those of the persons in these rows who were deleted: what arrives late about them names nobody.
async fn deleted_persons<S: Session>(
    session: &mut S,
    statements: &Statements,
    rows: &[Arc<Row>],
) -> Result<BTreeSet<(String, String)>, Failure> {
    let persons: BTreeSet<(String, String)> = rows.iter().filter_map(|row| row.who()).collect();
    let bind = |(product, who): &(String, String)| vec![Value::Text(product.clone()), Value::Text(who.clone())];
    let answers = session.query(persons.iter().map(|person| (statements.deleted_person(), bind(person))).collect()).await?;
    Ok(persons.into_iter().zip(answers).filter(|(_, rows)| !rows.is_empty()).map(|(person, _)| person).collect())
}

/// Takes a person out of every row there is.
async fn forget_person<S: Session>(session: &mut S, statements: &Statements, who: &(String, String)) -> Result<(), Failure> {
    let (product, person) = who;
    for table in TABLES.iter().filter(|table| table.names_person()) {
        let sql = statements.rows_of_person(table);
        let bound = vec![Value::Text(product.clone()), Value::Text(person.clone())];
        let found = session.query(vec![(&sql, bound)]).await?.into_iter().flatten();
        let update = statements.forget(table);
        let mut updates = Vec::new();
        for mut columns in found {
            let raw = forget_raw(table, &columns.pop().unwrap_or_default(), person);
            let bound = std::iter::once(raw).chain(columns).map(Value::Text).collect();
            updates.push((update.as_str(), bound));
        }
        session.execute(updates).await?;
    }
    Ok(())
}
