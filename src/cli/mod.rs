//! The command line: what a person types, one file per command.
//!
//! Commands that need state ask the running daemon over its admin API; when none runs they open the store themselves. Answers go to
//! standard output, everything else to standard error.

mod check;
mod client;
mod confirm;
mod connector;
mod decide;
mod demo;
mod draft;
mod drop;
mod error;
mod events;
mod follow;
mod init;
mod kinds;
mod links;
mod list;
mod offline;
mod output;
mod parked;
mod pause;
mod plan;
mod probe;
mod queue;
mod replay;
mod resume;
mod retry;
mod run;
mod send;
mod status;
mod store;
mod url;

use std::path::PathBuf;

use clap::{ArgAction, Parser, Subcommand, ValueEnum};

pub use client::{ApiAnswer, ApiRequest};
pub use demo::DemoArgs;
pub use error::{CommandError, Exit};
pub use output::Output;
pub use run::RunArgs;
pub use store::{StoreArgs, StoreCommand};
pub use url::webhook_url;

use crate::config::{LogConfig, LogFormat, Sources};
use crate::logging::Color;

/// Brings Sleekplan changelog and feedback to the systems where your team and your readers are.
#[derive(Clone, Debug, Parser)]
#[command(name = "sleeksync", version, about, after_help = "Example:\n  sleeksync init && sleeksync check && sleeksync run")]
pub struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// What every command takes.
#[derive(Clone, Debug, clap::Args)]
struct Global {
    /// Read this configuration file; may be repeated, later ones win [default: sleeksync.toml, where there is one]
    #[arg(long, short, value_name = "FILE", global = true, action = ArgAction::Append)]
    config: Vec<PathBuf>,
    /// Print JSON in the place of tables
    #[arg(long, global = true)]
    json: bool,
    /// Log more; twice for everything
    #[arg(long, short, global = true, action = ArgAction::Count)]
    verbose: u8,
    /// Log errors only
    #[arg(long, short, global = true, conflicts_with = "verbose")]
    quiet: bool,
    /// Colour the log
    #[arg(long, value_name = "WHEN", global = true, value_enum, default_value_t = When::Auto)]
    color: When,
}

/// When something is coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum When {
    Auto,
    Always,
    Never,
}

/// The commands.
#[derive(Clone, Debug, Subcommand)]
enum Command {
    Run(RunArgs),
    Demo(DemoArgs),
    Store(StoreArgs),
    Init(init::InitArgs),
    Check(check::CheckArgs),
    Url(url::UrlArgs),
    Kinds(kinds::KindsArgs),
    Plan(plan::PlanArgs),
    Send(send::SendArgs),
    Status(status::StatusArgs),
    Events(events::EventsArgs),
    Queue(queue::QueueArgs),
    Parked(parked::ParkedArgs),
    Links(links::LinksArgs),
    Retry(retry::RetryArgs),
    Drop(drop::DropArgs),
    Pause(pause::PauseArgs),
    Resume(resume::ResumeArgs),
    Replay(replay::ReplayArgs),
    Connector(connector::ConnectorArgs),
}

/// What every command is given.
#[derive(Clone)]
pub struct Context {
    /// Where the configuration comes from.
    pub sources: Sources,
    /// Where answers go.
    pub output: Output,
    /// Whether the log is coloured.
    pub color: Color,
    /// What a command that is no daemon logs.
    pub log: LogConfig,
}

impl Global {
    fn context(&self) -> Context {
        let level = match (self.quiet, self.verbose) {
            (true, _) => Some("error"),
            (false, 0) => None,
            (false, 1) => Some("sleeksync=debug,sleeksync_connectors=debug,info"),
            (false, _) => Some("trace"),
        };
        let flags = level.map(|level| ("log.filter", level.to_owned())).into_iter().collect();
        let color = match self.color {
            When::Auto => Color::Auto,
            When::Always => Color::Always,
            When::Never => Color::Never,
        };
        Context {
            sources: Sources::of_process(self.config.clone(), flags),
            output: Output { is_json: self.json },
            color,
            log: LogConfig { format: LogFormat::Text, filter: level.unwrap_or("warn").to_owned() },
        }
    }
}

impl Cli {
    /// Does what was asked.
    ///
    /// # Errors
    /// Why it could not be done; the exit code follows from it.
    pub async fn execute(self) -> Result<Exit, CommandError> {
        let context = self.global.context();
        if let Command::Run(args) = &self.command {
            return run::run(&context, args).await;
        }
        // A command logs next to nothing, and is done without a log as well as with one.
        let _ = crate::logging::start(&context.log, context.color);
        match &self.command {
            Command::Run(args) => run::run(&context, args).await,
            Command::Demo(args) => demo::run(&context, args).await,
            Command::Store(args) => store::run(&context, args).await,
            Command::Init(args) => init::run(&context, args),
            Command::Check(args) => check::run(&context, args).await,
            Command::Url(args) => url::run(&context, args),
            Command::Kinds(args) => kinds::run(&context, args),
            Command::Plan(args) => plan::run(&context, args).await,
            Command::Send(args) => send::run(&context, args).await,
            Command::Status(args) => status::run(&context, args).await,
            Command::Events(args) => events::run(&context, args).await,
            Command::Queue(args) => queue::run(&context, args).await,
            Command::Parked(args) => parked::run(&context, args).await,
            Command::Links(args) => links::run(&context, args).await,
            Command::Retry(args) => retry::run(&context, args).await,
            Command::Drop(args) => drop::run(&context, args).await,
            Command::Pause(args) => pause::run(&context, args).await,
            Command::Resume(args) => resume::run(&context, args).await,
            Command::Replay(args) => replay::run(&context, args).await,
            Command::Connector(args) => connector::run(&context, args).await,
        }
    }
}
