//! `fake-github`: the fake GitHub as a process of its own, so that it survives whatever is killed beside it.
//!
//! `fake-github [--lose-every N] [--hide-new N]` prints its address. `GET /_fake/report` shows its objects, `POST /_fake/faults` takes a list of
//! faults for the next answers, `POST /_fake/issues/N` sets `locked`, `gone`.

use std::io::Write;

use sleeksync_connectors::testing::github::{FakeGitHub, serve};
use tokio::net::TcpListener;

fn main() -> std::io::Result<()> {
    let mut fake = FakeGitHub::new();
    let arguments: Vec<String> = std::env::args().collect();
    for pair in arguments.windows(2) {
        if let [name, value] = pair {
            match name.as_str() {
                "--lose-every" => fake.lose_every = value.parse().ok(),
                "--hide-new" => fake.hide_new = value.parse().unwrap_or(0),
                _ => {}
            }
        }
    }
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        writeln!(std::io::stdout(), "http://{}", listener.local_addr()?)?;
        serve(listener, fake).await
    })
}
