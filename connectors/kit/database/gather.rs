//! Gathering: what is waiting while a transaction is written is written by the next one, all of it together.
//!
//! Every caller hands in one row and hears how it went with that one. Whoever comes to the connection first writes for all who wait; so a
//! lone row is written at once, and a backlog in transactions of many.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::oneshot;

use super::ROWS_MAX;
use super::row::Row;
use crate::contract::{Cause, Failure};

/// Writes rows in one transaction.
pub trait Writer: Send {
    /// All of them, or none.
    fn write(&mut self, rows: Arc<Vec<Arc<Row>>>) -> impl Future<Output = Result<(), Failure>> + Send;
}

/// Who waits for a row.
type Answer = oneshot::Sender<Result<(), Failure>>;

/// A row, and who waits for it.
struct Waiting {
    row: Arc<Row>,
    done: Answer,
}

/// A connection, and the rows that wait for it.
pub struct Gather<W> {
    waiting: Mutex<VecDeque<Waiting>>,
    writer: tokio::sync::Mutex<W>,
}

impl<W: Writer> Gather<W> {
    /// Nothing waits yet.
    pub fn new(writer: W) -> Self {
        Self { waiting: Mutex::default(), writer: tokio::sync::Mutex::new(writer) }
    }

    /// The connection, for something else than rows.
    pub async fn writer(&self) -> tokio::sync::MutexGuard<'_, W> {
        self.writer.lock().await
    }

    /// Writes a row, with others that wait.
    ///
    /// # Errors
    /// What became of this one.
    pub async fn put(&self, row: Arc<Row>) -> Result<(), Failure> {
        let (done, mut answer) = oneshot::channel();
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).push_back(Waiting { row, done });
        loop {
            tokio::select! {
                biased;
                // Without an answer, who wrote for us was cut off.
                said = &mut answer => return said.unwrap_or_else(|_| Err(cut_off())),
                mut writer = self.writer.lock() => self.write_waiting(&mut writer).await,
            }
        }
    }

    async fn write_waiting(&self, writer: &mut W) {
        let (rows, waiting) = self.take();
        if rows.is_empty() {
            return;
        }
        let rows = Arc::new(rows);
        let said = writer.write(Arc::clone(&rows)).await;
        if !matches!(said, Err(Failure::Rejected { .. })) || rows.len() == 1 {
            waiting.into_iter().for_each(|done| answer(done, said.clone()));
            return;
        }
        // One of them cannot be written, so none was: each by itself.
        for (row, done) in rows.iter().zip(waiting) {
            answer(done, writer.write(Arc::new(vec![Arc::clone(row)])).await);
        }
    }

    /// The rows somebody still waits for, in the order in which they came.
    fn take(&self) -> (Vec<Arc<Row>>, Vec<Answer>) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let count = waiting.len().min(ROWS_MAX);
        waiting.drain(..count).filter(|waiting| !waiting.done.is_closed()).map(|Waiting { row, done }| (row, done)).unzip()
    }
}

/// Who does not wait any more has asked for the step again, or will.
fn answer(done: Answer, said: Result<(), Failure>) {
    drop(done.send(said));
}

fn cut_off() -> Failure {
    Failure::Unknown { retry_after: None, source: Cause::new("the transaction was cut off") }
}
