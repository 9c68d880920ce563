//! Work that waits for the disk, done where it holds up nothing else.

/// Does `work` beside the tasks that serve the network. Nobody waits for it once this is dropped; it goes on to its end all the same.
///
/// # Errors
/// It panicked, or the daemon ends.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that leaves the runtime's own threads: SQLite waits for the disk and for locks"
)]
pub async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, tokio::task::JoinError> {
    tokio::task::spawn_blocking(work).await
}
