//! The only place that spawns: every task has a name, is counted, and is waited for at shutdown.

use std::future::Future;
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

    /// The same for a task that may be dropped at any await: it is, when it did not end in time once shutdown was asked for.
    ///
    /// Whoever waits hears what came of it; `None` when it was dropped, or panicked.
    pub fn spawn_droppable<F>(&self, name: &'static str, task: F) -> impl Future<Output = Option<F::Output>> + use<F>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        let cut_off = self.cut_off.clone();
        // It is moved several times on its way: as a pointer.
        let task = Box::pin(task);
        let task = async move {
            tokio::select! {
                biased;
                output = task => Some(output),
                () = cut_off.cancelled() => None,
            }
        };
        let handle = self.tracker.spawn(task.instrument(tracing::debug_span!("task", name)));
        async { handle.await.ok().flatten() }
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
