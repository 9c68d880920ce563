//! `run`: the daemon.

use std::sync::Arc;

use clap::Args;
use sleeksync_connectors::contract::Transport;
use sleeksync_connectors::kit::http::{Client, ClientOptions};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::output::notice;
use super::{CommandError, Context, Exit, webhook_url};
use crate::app::{App, Listeners, RunError};
use crate::clock::Clock;
use crate::config::{Config, load};

/// Runs the daemon
#[derive(Args, Clone, Debug)]
#[command(after_help = "Example:\n  sleeksync run --config /etc/sleeksync/sleeksync.toml")]
pub struct RunArgs {}

/// The signals a daemon listens to.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

impl Signals {
    fn new() -> Result<Self, CommandError> {
        let listen = |kind| signal(kind).map_err(CommandError::Signals);
        Ok(Self {
            terminate: listen(SignalKind::terminate())?,
            interrupt: listen(SignalKind::interrupt())?,
            hang_up: listen(SignalKind::hangup())?,
        })
    }
}

/// Runs until it is told to end.
pub(super) async fn run(context: &Context, _args: &RunArgs) -> Result<Exit, CommandError> {
    let config = load(&context.sources)?;
    // Nothing was logged yet; were a log set up already, it serves as well.
    let _ = crate::logging::start(&config.log, context.color);
    let mut signals = Signals::new()?;
    let listeners = Listeners::open(&config).await?;
    let app = App::start(&config, listeners, transport(&config)?, Clock::system()).await?;
    context.output.line(&format!("Paste this into Sleekplan, with ?key= and your key behind it: {}", webhook_url(&config.receiver)));
    let failed = loop {
        tokio::select! {
            () = app.failed() => break true,
            _ = signals.terminate.recv() => break false,
            _ = signals.interrupt.recv() => break false,
            _ = signals.hang_up.recv() => reload(context, &app).await,
        }
    };
    tracing::info!("shutting down");
    app.shut_down().await;
    if failed { Err(RunError::Journal.into()) } else { Ok(Exit::Done) }
}

/// Reads the configuration again; a wrong one changes nothing.
async fn reload(context: &Context, app: &App) {
    match load(&context.sources) {
        Ok(config) => match transport(&config) {
            Ok(transport) => {
                app.reload(&config, transport).await;
                tracing::info!("configuration read again");
            }
            Err(error) => tracing::error!(error = &error as &dyn std::error::Error, "configuration not taken over"),
        },
        Err(mistakes) => {
            notice(&mistakes.to_string());
            tracing::error!("configuration not taken over: it has mistakes");
        }
    }
}

/// The one HTTP client; every connector's own time limit is watched by its worker.
pub(super) fn transport(config: &Config) -> Result<Arc<dyn Transport>, CommandError> {
    let longest = config.connectors.iter().map(|connector| connector.delivery.timeout).max().unwrap_or(config.delivery.timeout);
    let client = Client::new(&ClientOptions { timeout: longest, ..ClientOptions::default() }).map_err(CommandError::Client)?;
    Ok(Arc::new(client))
}
