//! Runs the scenarios of `testing/postgres.rs` on the server of `$SLEEKSYNC_POSTGRES_URL`; with addresses as arguments, says of each how
//! connecting to it ends.

use sleeksync_connectors::testing::postgres::{connects, scenarios, server};

#[tokio::main(flavor = "multi_thread")]
async fn main() {
    let addresses: Vec<String> = std::env::args().skip(1).collect();
    for address in &addresses {
        say(&connects(address).await);
    }
    if !addresses.is_empty() {
        return;
    }
    let Some(url) = server() else {
        say("$SLEEKSYNC_POSTGRES_URL names no server");
        std::process::exit(1);
    };
    let ends = scenarios(&url).await;
    for (name, how) in &ends {
        say(&format!("{name} ... {}", how.as_ref().err().map_or("ok", String::as_str)));
    }
    if ends.iter().any(|(_, how)| how.is_err()) {
        std::process::exit(1);
    }
}

#[expect(clippy::print_stdout, reason = "what it has to say")]
fn say(line: &str) {
    println!("{line}");
}
