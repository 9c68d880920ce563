//! `store`: looks after what is kept, while no daemon runs.

use clap::{Args, Subcommand};
use serde_json::json;

use super::{CommandError, Context, Exit};
use crate::clock::Clock;
use crate::config::{StoreConfig, load_local};
use crate::index::maintenance;
use crate::journal::{Journal, Options};

/// Verifies or rebuilds what is kept
#[derive(Args, Clone, Debug)]
#[command(after_help = "Example:\n  sleeksync store verify")]
pub struct StoreArgs {
    /// What is to be done.
    #[command(subcommand)]
    pub what: StoreCommand,
}

/// What can be done to the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Subcommand)]
pub enum StoreCommand {
    /// Checks every checksum, and that index and journal agree
    #[command(after_help = "Example:\n  sleeksync store verify --json")]
    Verify,
    /// Folds the journal anew into a fresh index
    #[command(after_help = "Example:\n  sleeksync store rebuild")]
    Rebuild,
}

/// Does it on a thread for blocking work: both read everything there is.
pub(super) async fn run(context: &Context, args: &StoreArgs) -> Result<Exit, CommandError> {
    let store = load_local(&context.sources)?.store;
    let (context, what) = (context.clone(), args.what);
    let (answer, answered) = tokio::sync::oneshot::channel();
    crate::supervisor::Supervisor::new().spawn_blocking(move || {
        let done = match what {
            StoreCommand::Verify => verify(&context, &store),
            StoreCommand::Rebuild => rebuild(&context, &store),
        };
        // The command waits for it; were it gone, nobody would want to know.
        drop(answer.send(done));
    });
    let interrupted = || CommandError::Refused { message: "it was interrupted".to_owned(), hint: String::new() };
    answered.await.unwrap_or_else(|_| Err(interrupted()))
}

fn verify(context: &Context, store: &StoreConfig) -> Result<Exit, CommandError> {
    let verified = crate::journal::verify(&store.path).map_err(CommandError::Read)?;
    let mut faults: Vec<String> = verified.fault.iter().map(|fault| format!("journal: damaged at {}", fault.at)).collect();
    let records = verified.last.map_or(0, |last| last.0 + 1 - verified.first.map_or(last.0, |first| first.0));
    let index = if faults.is_empty() {
        let journal = open(store)?;
        let compared = maintenance::compare(&store.path.join("index"), &journal)?;
        faults.extend(
            compared.difference.as_ref().map(|key| format!("index: differs from the journal at {key}; `sleeksync store rebuild` mends it")),
        );
        Some(compared)
    } else {
        None
    };
    if context.output.is_json {
        let rows = index.as_ref().map(|compared| compared.rows);
        context.output.json(&json!({"records": records, "rows": rows, "faults": faults}));
    } else {
        context.output.line(&format!("journal: {} records", records));
        if let Some(compared) = &index {
            context.output.line(&format!("index: {} rows", compared.rows));
        }
        faults.iter().for_each(|fault| context.output.line(fault));
    }
    Ok(if faults.is_empty() { Exit::Done } else { Exit::Failed })
}

fn rebuild(context: &Context, store: &StoreConfig) -> Result<Exit, CommandError> {
    let journal = open(store)?;
    let rebuilt = maintenance::rebuild(&store.path.join("index"), &journal)?;
    if context.output.is_json {
        context.output.json(&json!({"records": rebuilt.records, "rows": rebuilt.rows}));
    } else {
        context.output.line(&format!("{} records folded into {} rows", rebuilt.records, rebuilt.rows));
    }
    Ok(Exit::Done)
}

fn open(store: &StoreConfig) -> Result<Journal, CommandError> {
    let mut options = Options::new(Clock::system());
    options.min_free_bytes = store.free_bytes_min;
    let (journal, _) = Journal::open(&store.path, options).map_err(crate::app::OpenStoreError::from)?;
    Ok(journal)
}
