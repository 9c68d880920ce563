//! The only place that spawns: every task has a name, is counted, and is waited for at shutdown.

use std::future::Future;
use std::io;
use std::thread;
use std::time::Duration;

use tokio_util::sync::{CancellationToken, WaitForCancellationFuture};
use tokio_util::task::TaskTracker;
use tracing::Instrument;

/// Starts tasks and ends them: shutdown is asked for, awaited, then timed out.
#[derive(Clone, Debug, Default)]
pub struct Supervisor {
    tracker: TaskTracker,
    stop: CancellationToken,
    cut_off: CancellationToken,
}

impl Supervisor {
    /// One with nothing to supervise yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A part with a shutdown of its own, which also ends with the whole.
    #[must_use]
    pub fn child(&self) -> Self {
        Self { tracker: TaskTracker::new(), stop: self.stop.child_token(), cut_off: self.cut_off.child_token() }
    }

    /// Runs `task` until it ends. It learns of the shutdown through [`Supervisor::stopping`].
    pub fn spawn<F>(&self, name: &'static str, task: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.tracker.spawn(task.instrument(tracing::debug_span!("task", name)));
    }

    /// Runs `task`, and whatever it starts, on a thread of its own: what takes long there holds up nobody else, and what is allocated there is
    /// freed there, which is what allocators are made for.
    ///
    /// It may be dropped at any await: it is, when it did not end in time once shutdown was asked for.
    ///
    /// # Errors
    /// The system has no thread left, or no descriptors.
    pub fn spawn_apart<F>(&self, name: &str, task: F) -> io::Result<()>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (token, cut_off) = (self.tracker.token(), self.cut_off.clone());
        let body = move || {
            runtime.block_on(cut_off.run_until_cancelled(task));
            // Not before what blocks has ended as well.
            drop(runtime);
            drop(token);
        };
        thread::Builder::new().name(name.to_owned()).spawn(body).map(drop)
    }

    /// Runs blocking work on a thread made for it.
    pub fn spawn_blocking<F>(&self, work: F)
    where
        F: FnOnce() + Send + 'static,
    {
        self.tracker.spawn_blocking(work);
    }

    /// Ends when shutdown was asked for.
    pub fn stopping(&self) -> WaitForCancellationFuture<'_> {
        self.stop.cancelled()
    }

    /// Whether shutdown was asked for.
    pub fn is_stopping(&self) -> bool {
        self.stop.is_cancelled()
    }

    /// Asks every task to end.
    pub fn stop(&self) {
        self.stop.cancel();
    }

    /// Asks every task to end and waits for it, `patience` at most; then what may be dropped is. `false` when some were still running.
    pub async fn shut_down(&self, patience: Duration) -> bool {
        self.stop.cancel();
        self.tracker.close();
        let ended = tokio::time::timeout(patience, self.tracker.wait()).await.is_ok();
        if !ended {
            self.cut_off.cancel();
        }
        ended
    }

    /// Ends when no task runs any more; only after [`Supervisor::shut_down`].
    pub async fn ended(&self) {
        self.tracker.wait().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_blocks_apart_holds_up_nobody_and_is_waited_for() {
        let supervisor = Supervisor::new();
        let (go_on, blocked) = std::sync::mpsc::channel();
        supervisor.spawn_apart("apart", async move { blocked.recv().unwrap() }).unwrap();
        assert!(!supervisor.shut_down(Duration::ZERO).await);
        go_on.send(()).unwrap();
        supervisor.ended().await;
    }

    #[tokio::test]
    async fn what_does_not_end_apart_is_dropped_once_its_time_is_over() {
        let supervisor = Supervisor::new();
        supervisor.spawn_apart("apart", std::future::pending()).unwrap();
        assert!(!supervisor.shut_down(Duration::from_millis(1)).await);
        supervisor.ended().await;
    }
}
