//! Real processes, and the daemon's own threads: what a test can only find out by looking again. The one place where tests sleep.
//!
//! Whoever looks names what it looks for and gives up in bounded time. Nothing here waits for time to pass instead of for something to happen.

#![allow(dead_code, clippy::unwrap_used, reason = "each test needs its own part of it")]
#![allow(clippy::disallowed_methods, reason = "a process is waited for by the machine's clock")]

use std::net::{SocketAddr, TcpListener};
use std::process::Child;
use std::time::{Duration, Instant};

/// How long anything may take that must happen.
pub const PATIENCE: Duration = Duration::from_secs(120);
/// From one look to the next.
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// A process that ends with the test.
pub struct Process(pub Child);

impl Drop for Process {
    fn drop(&mut self) {
        // It has ended where the test went well.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Process {
    /// Sends a signal.
    pub fn signal(&self, signal: rustix::process::Signal) {
        rustix::process::kill_process(rustix::process::Pid::from_child(&self.0), signal).unwrap();
    }
}

/// An address nobody listens on, a moment ago.
pub fn free() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// Looks until there is something to see, `patience` at most.
pub async fn look_for<T>(patience: Duration, mut look: impl AsyncFnMut() -> Option<T>) -> Option<T> {
    let started = Instant::now();
    loop {
        match look().await {
            None if started.elapsed() < patience => tokio::time::sleep(LOOK_EVERY).await,
            seen => return seen,
        }
    }
}

/// The same where there is no runtime.
pub fn look_for_blocking<T>(patience: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let started = Instant::now();
    loop {
        match look() {
            None if started.elapsed() < patience => std::thread::sleep(LOOK_EVERY),
            seen => return seen,
        }
    }
}

/// Lets a process go on for a while that a dice has thrown: to kill it wherever it happens to be.
pub fn go_on_for(while_ms: u64) {
    std::thread::sleep(Duration::from_millis(while_ms));
}
