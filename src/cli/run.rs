//! `run`: the daemon.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

use clap::Args;
use sleeksync_connectors::contract::Transport;
use sleeksync_connectors::kit::http::{Client, ClientOptions};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::output::notice;
use super::{CommandError, Context, Exit, webhook_url};
use crate::app::{App, RunError};
use crate::clock::Clock;
use crate::config::{Config, load};

/// Runs the daemon
#[derive(Args, Clone, Debug)]
#[command(after_help = "Example:\n  sleeksync run --config /etc/sleeksync/sleeksync.toml")]
pub struct RunArgs {}

/// The signals a daemon listens to.
struct Signals {
    ending: Ending,
    hang_up: Signal,
}

/// Those that end it.
struct Ending {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn new() -> Result<Self, CommandError> {
        let listen = |kind| signal(kind).map_err(CommandError::Signals);
        let ending = Ending { terminate: listen(SignalKind::terminate())?, interrupt: listen(SignalKind::interrupt())? };
        Ok(Self { ending, hang_up: listen(SignalKind::hangup())? })
    }
}

impl Ending {
    async fn heard(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Runs until it is told to end.
pub(super) async fn run(context: &Context, _args: &RunArgs) -> Result<Exit, CommandError> {
    let config = load(&context.sources)?;
    // Nothing was logged yet; were a log set up already, it serves as well.
    let _ = crate::logging::start(&config.log, context.color);
    let mut signals = Signals::new()?;
    let transport = transport(&config)?;
    let started = tokio::select! {
        started = App::open(&config, transport, Clock::system()) => Some(started?),
        () = signals.ending.heard() => None,
    };
    let Some(app) = started else { return Ok(Exit::Done) };
    context.output.line(&format!("Paste this into Sleekplan, with ?key= and your key behind it: {}", webhook_url(&config.receiver)));
    let failed = serve(context, &mut signals, &app).await;
    tracing::info!("shutting down");
    app.shut_down().await;
    if failed { Err(RunError::Journal.into()) } else { Ok(Exit::Done) }
}

/// Ends when the daemon is to end; whether that is because the journal failed.
///
/// A reload waits for steps in flight, or for room. Meanwhile signals stay heard, and one that ends the daemon ends the reload.
async fn serve(context: &Context, signals: &mut Signals, app: &App) -> bool {
    let mut reloading: Option<Pin<Box<dyn Future<Output = ()>>>> = None;
    loop {
        tokio::select! {
            () = app.failed() => return true,
            () = signals.ending.heard() => return false,
            _ = signals.hang_up.recv(), if reloading.is_none() => reloading = Some(Box::pin(reload(context, app))),
            () = poll_fn(|cx| reloading.as_mut().map_or(Poll::Pending, |reload| reload.as_mut().poll(cx))) => reloading = None,
        }
    }
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
