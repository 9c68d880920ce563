//! Captures: raw bodies written to a folder, to learn what Sleekplan really sends.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use sleeksync_connectors::contract::Time;
use tokio::io::AsyncWriteExt;

/// Writes one file a body.
pub(super) struct Capture {
    folder: PathBuf,
    count: AtomicU64,
    warned: AtomicBool,
}

impl Capture {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self { folder, count: AtomicU64::new(0), warned: AtomicBool::new(false) }
    }

    /// Writes `body`. That it cannot be written is said once, and costs no event.
    pub(super) async fn write(&self, at: Time, body: &[u8]) {
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        let path = self.folder.join(format!("{}-{number:06}.json", at.as_ms()));
        if let Err(error) = create(&self.folder, &path, body).await
            && !self.warned.swap(true, Ordering::Relaxed)
        {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "receiver.capture_dir cannot be written; events are accepted all the same"
            );
        }
    }
}

async fn create(folder: &std::path::Path, path: &std::path::Path, body: &[u8]) -> std::io::Result<()> {
    tokio::fs::create_dir_all(folder).await?;
    let mut file = tokio::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).await?;
    file.write_all(body).await?;
    file.flush().await
}
