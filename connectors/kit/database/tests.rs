//! Gathering, with a writer that fails as it is told.

use std::sync::{Arc, Mutex};

use futures_util::FutureExt;
use futures_util::future::join_all;
use serde_json::json;

use super::*;
use crate::contract::{Cause, Change, Failure, Plan};
use crate::testing::{Given, feedback, key_of, product};

/// Notes what it is given, and refuses titles that say so.
#[derive(Default)]
struct Notes {
    batches: Arc<Mutex<Vec<usize>>>,
}

impl Writer for Notes {
    async fn write(&mut self, rows: Arc<Vec<Arc<Row>>>) -> Result<(), Failure> {
        self.batches.lock().unwrap().push(rows.len());
        tokio::task::yield_now().await;
        let is_bad = |row: &Arc<Row>| row.values.get("title") == Some(&json!("bad"));
        if rows.iter().any(is_bad) { Err(Failure::Rejected { source: Cause::new("bad") }) } else { Ok(()) }
    }
}

fn row(given: &Given) -> Arc<Row> {
    let (product, key) = (product(), key_of(&crate::contract::Scope("here".to_owned()), &given.item.id));
    let change = Change { item: &given.item, parent: None, event: None, product: &product, key: &key, at: given.at, is_history: false };
    match plan(&change) {
        Plan::Run(steps) => match &steps[0].op {
            Op::Put(row) => Arc::clone(row),
        },
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_waits_is_written_together_and_one_that_is_refused_stops_no_other() {
    let notes = Notes::default();
    let batches = Arc::clone(&notes.batches);
    let gather = Gather::new(notes);
    let rows: Vec<Arc<Row>> =
        (1..=600).map(|id| row(&feedback(json!({"feedback_id": id, "title": if id == 300 { "bad" } else { "good" }})))).collect();
    let said = join_all(rows.into_iter().map(|row| gather.put(row))).await;
    let refused: Vec<usize> = said.iter().enumerate().filter(|(_, said)| said.is_err()).map(|(at, _)| at + 1).collect();
    assert_eq!(refused, [300]);
    let batches = batches.lock().unwrap().clone();
    // The first found nobody waiting; all others waited for it. Of those together with the refused one, each was written by itself.
    let together: Vec<usize> = batches.iter().copied().filter(|count| *count > 1).collect();
    let full = [ROWS_MAX; 4].into_iter();
    assert_eq!((batches[0], together, batches.len()), (1, full.chain([599 - 4 * ROWS_MAX]).collect(), 6 + ROWS_MAX));
}

#[tokio::test]
async fn who_is_cut_off_while_writing_for_others_leaves_them_an_unknown_outcome() {
    struct Never;
    impl Writer for Never {
        async fn write(&mut self, _: Arc<Vec<Arc<Row>>>) -> Result<(), Failure> {
            std::future::pending().await
        }
    }
    let gather = Gather::new(Never);
    let (first, second) = (row(&feedback(json!({"feedback_id": 1}))), row(&feedback(json!({"feedback_id": 2}))));
    let (mut first, mut second) = (Box::pin(gather.put(first)), Box::pin(gather.put(second)));
    let guard = gather.writer().await;
    assert!((&mut first).now_or_never().is_none() && (&mut second).now_or_never().is_none());
    drop(guard);
    // The first has its turn, and writes for both.
    assert!((&mut first).now_or_never().is_none());
    drop(first);
    assert!(matches!(second.await, Err(Failure::Unknown { .. })));
}
