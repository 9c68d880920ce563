//! Requests written down as they were sent, where `tests/real/github.sh` asks for it: it holds all of them against GitHub's own description.

use std::collections::BTreeMap;
use std::io::Write;

use serde_json::json;

/// The headers GitHub looks at, apart from the credentials, which are in no record.
const KEPT: [&str; 4] = ["accept", "content-type", "user-agent", "x-github-api-version"];

/// Writes a request down: the body as it was sent, byte for byte.
pub(super) fn note<'a>(method: &str, url: &str, headers: impl Iterator<Item = (&'a str, &'a str)>, body: &[u8]) {
    let Some(path) = std::env::var_os("SLEEKSYNC_GITHUB_REQUESTS") else { return };
    let headers: BTreeMap<String, &str> =
        headers.map(|(name, value)| (name.to_ascii_lowercase(), value.trim())).filter(|(name, _)| KEPT.contains(&name.as_str())).collect();
    let body = (!body.is_empty()).then(|| String::from_utf8_lossy(body));
    let line = json!({"method": method, "url": url, "headers": headers, "body": body}).to_string() + "\n";
    // One write a line: several tests, in several processes, write at the same time.
    let written = std::fs::OpenOptions::new().create(true).append(true).open(path).and_then(|mut file| file.write_all(line.as_bytes()));
    // A request that is not written down is missing in what the script lists, which then fails.
    drop(written);
}
