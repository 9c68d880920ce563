//! The yardstick of delivery: a bare warp handler that appends, syncs together with whoever waits, and forwards. It forgets nothing at a crash but
//! what it still had to forward, and sends everything once, to whoever may be there.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};

use bytes::Bytes;
use tokio::sync::oneshot;
use warp::Filter;

/// Writes everything that waits, syncs once, answers everybody.
fn commit(mut log: File, waiting: &Receiver<(Bytes, oneshot::Sender<()>)>) -> std::io::Result<()> {
    while let Ok(first) = waiting.recv() {
        let (mut frame, mut answers) = (Vec::new(), Vec::new());
        for (body, answer) in std::iter::once(first).chain(waiting.try_iter()) {
            frame.extend_from_slice(&(body.len() as u32).to_le_bytes());
            frame.extend_from_slice(&body);
            answers.push(answer);
        }
        log.write_all(&frame)?;
        log.sync_data()?;
        // Whoever does not wait any more needs no answer.
        answers.into_iter().for_each(|answer: oneshot::Sender<()>| answer.send(()).unwrap_or_default());
    }
    Ok(())
}

/// Serves until the process is killed; forwards to `sink`.
pub async fn serve(listener: tokio::net::TcpListener, folder: &Path, sink: String) {
    let log = File::create(folder.join("log")).unwrap();
    let (append, waiting) = channel();
    std::thread::spawn(move || commit(log, &waiting));
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let accept = warp::post().and(warp::body::bytes()).then(move |body: Bytes| {
        let (answer, answered) = oneshot::channel();
        append.send((body.clone(), answer)).unwrap();
        let forward = client.post(&sink).header("content-type", "application/json").body(body).send();
        async move {
            answered.await.unwrap();
            assert!(forward.await.unwrap().status().is_success());
            "{}"
        }
    });
    warp::serve(accept).incoming(listener).run().await;
}
