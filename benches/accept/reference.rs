//! The yardstick of the journal: a bare warp handler with a group-committed append, and nothing else. No sleep, no batching delay.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use tokio::sync::oneshot;
use warp::Filter;

type Waiting = (Bytes, oneshot::Sender<u64>);

/// Writes everything that waits, syncs once, answers everybody.
fn commit(mut log: File, waiting: &std::sync::mpsc::Receiver<Waiting>, syncs: &AtomicU64) -> std::io::Result<()> {
    let (mut seq, mut frame, mut answers) = (0, Vec::new(), Vec::new());
    while let Ok(first) = waiting.recv() {
        for (body, answer) in std::iter::once(first).chain(waiting.try_iter()) {
            frame.extend_from_slice(&(body.len() as u32).to_le_bytes());
            frame.extend_from_slice(&body);
            seq += 1;
            answers.push((answer, seq));
        }
        log.write_all(&frame)?;
        log.sync_data()?;
        syncs.fetch_add(1, Ordering::Relaxed);
        frame.clear();
        // Whoever does not wait any more needs no answer.
        answers.drain(..).for_each(|(answer, seq): (oneshot::Sender<u64>, u64)| answer.send(seq).unwrap_or_default());
    }
    Ok(())
}

/// Serves until the process is killed. `GET /` says how often it synced.
pub async fn serve(listener: tokio::net::TcpListener, folder: &Path) {
    let log = File::create(folder.join("log")).unwrap();
    let (append, waiting) = std::sync::mpsc::channel::<Waiting>();
    let syncs = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&syncs);
    std::thread::spawn(move || commit(log, &waiting, &counted));
    let accept = warp::post().and(warp::body::bytes()).then(move |body| {
        let (answer, answered) = oneshot::channel();
        let sent = append.send((body, answer));
        async move {
            sent.unwrap();
            format!("{{\"seq\":{}}}", answered.await.unwrap())
        }
    });
    let count = warp::get().map(move || syncs.load(Ordering::Relaxed).to_string());
    warp::serve(accept.or(count)).incoming(listener).run().await;
}
