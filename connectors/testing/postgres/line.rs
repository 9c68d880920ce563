//! A line to a server that is cut in the middle of commits.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

/// Where a line is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// The commit was sent and never arrives.
    Before,
    /// The commit is done, and its answer never arrives.
    Behind,
}

/// A line, as long as the runtime lives that laid it.
pub struct Line {
    /// The address of the server through it.
    pub url: String,
    state: Arc<State>,
}

struct State {
    cut: Box<dyn Fn(usize) -> Option<Cut> + Send + Sync>,
    /// Commits that were seen.
    commits: AtomicUsize,
    before: AtomicUsize,
    behind: AtomicUsize,
}

impl Line {
    /// A line to the server of this address; `cut` says what happens at which commit, counted from 0 over all connections.
    #[expect(clippy::disallowed_methods, reason = "the line runs beside the test that uses it, and ends with it")]
    pub async fn to(url: &str, cut: impl Fn(usize) -> Option<Cut> + Send + Sync + 'static) -> Self {
        let mut address: Url = url.parse().expect("an address");
        let server = format!("{}:{}", address.host_str().expect("a host"), address.port().expect("a port"));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        address.set_port(Some(listener.local_addr().expect("an address").port())).expect("an address with a port");
        let state = State { cut: Box::new(cut), commits: AtomicUsize::new(0), before: AtomicUsize::new(0), behind: AtomicUsize::new(0) };
        let state = Arc::new(state);
        let shared = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let upstream = TcpStream::connect(&server).await.expect("the server");
                tokio::spawn(forward(client, upstream, Arc::clone(&shared)));
            }
        });
        Self { url: address.to_string(), state }
    }

    /// How often it was cut there.
    pub fn cuts(&self, cut: Cut) -> usize {
        self.state.count(cut).load(Ordering::SeqCst)
    }
}

impl State {
    fn count(&self, cut: Cut) -> &AtomicUsize {
        match cut {
            Cut::Before => &self.before,
            Cut::Behind => &self.behind,
        }
    }

    /// Whether the line is cut at what was just sent.
    fn cut_at(&self, sent: &[u8]) -> Option<Cut> {
        let is_commit = sent.windows(6).any(|word| word == b"COMMIT");
        let cut = if is_commit { (self.cut)(self.commits.fetch_add(1, Ordering::SeqCst))? } else { return None };
        self.count(cut).fetch_add(1, Ordering::SeqCst);
        Some(cut)
    }
}

/// Passes everything on, until one side ends or the line is cut.
async fn forward(mut client: TcpStream, mut server: TcpStream, state: Arc<State>) {
    let (mut up, mut down) = (vec![0; 65_536], vec![0; 65_536]);
    loop {
        tokio::select! {
            read = client.read(&mut up) => {
                let Some(bytes) = read.ok().and_then(|count| up.get(..count)).filter(|bytes| !bytes.is_empty()) else { return };
                let cut = state.cut_at(bytes);
                if cut == Some(Cut::Before) {
                    return;
                }
                server.write_all(bytes).await.expect("the server takes it");
                if cut == Some(Cut::Behind) {
                    // The server has done it when it answers.
                    assert!(server.read(&mut down).await.expect("an answer") > 0, "the server commits");
                    return;
                }
            }
            read = server.read(&mut down) => {
                let Some(bytes) = read.ok().and_then(|count| down.get(..count)).filter(|bytes| !bytes.is_empty()) else { return };
                if client.write_all(bytes).await.is_err() {
                    return;
                }
            }
        }
    }
}
