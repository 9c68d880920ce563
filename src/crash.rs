//! Named points at which the crash loop kills the process. Without the feature `crash-points` they are nothing.

/// Every point, in the order a delivery passes them.
pub const POINTS: &[&str] = &[
    "intent.before",
    "intent.after",
    "request.before",
    "request.after",
    "find.before",
    "find.after",
    "outcome.before",
    "outcome.after",
    "checkpoint.before",
    "checkpoint.after",
];

/// Dies here, as by `kill -9`, where the environment says `SLEEKSYNC_CRASH_AT=POINT:N` and this is the N-th time.
#[cfg(feature = "crash-points")]
pub fn point(name: &str) {
    use std::sync::atomic::{AtomicU64, Ordering};
    static PASSED: AtomicU64 = AtomicU64::new(0);
    let Ok(wanted) = std::env::var("SLEEKSYNC_CRASH_AT") else { return };
    let Some((point, number)) = wanted.split_once(':') else { return };
    if point != name || Ok(PASSED.fetch_add(1, Ordering::SeqCst) + 1) != number.parse::<u64>() {
        return;
    }
    // The kill cannot fail for one's own process; were it to, the loop below would still never let the process go on.
    let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    loop {
        std::thread::park();
    }
}

/// Nothing.
#[cfg(not(feature = "crash-points"))]
#[inline]
pub fn point(_name: &str) {}
