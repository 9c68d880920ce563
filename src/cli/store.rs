//! `store`: looks after what is kept, while no daemon runs.

use clap::{Args, Subcommand};
use serde_json::json;

use super::confirm::confirm;
use super::{CommandError, Context, Exit};
use crate::clock::Clock;
use crate::config::{StoreConfig, load_local};
use crate::index::maintenance;
use crate::journal::{Journal, Opened, Options};

/// Verifies or rebuilds what is kept
#[derive(Args, Clone, Debug)]
#[command(after_help = "Example:\n  sleeksync store verify")]
pub struct StoreArgs {
    /// What is to be done.
    #[command(subcommand)]
    pub what: StoreCommand,
}

/// What can be done to the store.
#[derive(Clone, Debug, Subcommand)]
pub enum StoreCommand {
    /// Checks every checksum, and that index and journal agree
    #[command(after_help = "Example:\n  sleeksync store verify --json")]
    Verify,
    /// Folds the journal anew into a fresh index
    #[command(after_help = "Example:\n  sleeksync store rebuild")]
    Rebuild(RebuildArgs),
}

/// How the index is rebuilt.
#[derive(Args, Clone, Debug)]
pub struct RebuildArgs {
    /// Goes on without journal records that are damaged; the gap is kept on record
    #[arg(long)]
    survive_damage: bool,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

/// Does it on a thread for blocking work: both read everything there is.
pub(super) async fn run(context: &Context, args: &StoreArgs) -> Result<Exit, CommandError> {
    let store = load_local(&context.sources)?.store;
    if let StoreCommand::Rebuild(RebuildArgs { survive_damage: true, yes }) = args.what
        && !confirm("Giving damaged records up", yes)?
    {
        return Ok(Exit::Failed);
    }
    let (context, what) = (context.clone(), args.what.clone());
    let (answer, answered) = tokio::sync::oneshot::channel();
    crate::supervisor::Supervisor::new().spawn_blocking(move || {
        let done = match what {
            StoreCommand::Verify => verify(&context, &store),
            StoreCommand::Rebuild(args) => rebuild(&context, &store, args.survive_damage),
        };
        // The command waits for it; were it gone, nobody would want to know.
        drop(answer.send(done));
    });
    let interrupted = || CommandError::Refused { message: "it was interrupted".to_owned(), hint: String::new() };
    answered.await.unwrap_or_else(|_| Err(interrupted()))
}

fn verify(context: &Context, store: &StoreConfig) -> Result<Exit, CommandError> {
    let verified = {
        let _nobody_writes = Journal::lock(&store.path).map_err(crate::app::OpenStoreError::from)?;
        crate::journal::verify(&store.path).map_err(CommandError::Read)?
    };
    let mut faults: Vec<String> = verified.fault.iter().map(|fault| format!("journal: damaged at {}", fault.at)).collect();
    let records = verified.last.map_or(0, |last| last.0 + 1 - verified.first.map_or(last.0, |first| first.0));
    let index = if faults.is_empty() {
        let (journal, _) = open(store, false)?;
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

fn rebuild(context: &Context, store: &StoreConfig, survive_damage: bool) -> Result<Exit, CommandError> {
    let (journal, opened) = open(store, survive_damage)?;
    let rebuilt = maintenance::rebuild(&store.path.join("index"), &journal)?;
    if context.output.is_json {
        context.output.json(&json!({"records": rebuilt.records, "rows": rebuilt.rows, "lost": lost(&opened)}));
    } else {
        for gap in &opened.gaps {
            context.output.line(&format!("records {} to {} are lost: {}", gap.first, gap.last, gap.at));
        }
        context.output.line(&format!("{} records folded into {} rows", rebuilt.records, rebuilt.rows));
    }
    Ok(Exit::Done)
}

fn lost(opened: &Opened) -> Vec<serde_json::Value> {
    opened.gaps.iter().map(|gap| json!({"first": gap.first.0, "last": gap.last.0, "at": gap.at.to_string()})).collect()
}

fn open(store: &StoreConfig, survive_damage: bool) -> Result<(Journal, Opened), CommandError> {
    let mut options = Options::new(Clock::system());
    options.min_free_bytes = store.free_bytes_min;
    options.survive_damage = survive_damage;
    Ok(Journal::open(&store.path, options).map_err(crate::app::OpenStoreError::from)?)
}
