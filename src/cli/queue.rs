//! `queue`: what is owed and not parked, newest first.

use clap::Args;

use super::list::{self, List, ListArgs};
use super::{CommandError, Context, Exit};

/// Lists deliveries that are owed
#[derive(Args, Clone, Debug)]
#[command(after_help = "Example:\n  sleeksync queue --connector tracker")]
pub struct QueueArgs {
    #[command(flatten)]
    list: ListArgs,
}

const LIST: List = List {
    name: "queue",
    columns: &[
        ("ID", "id"),
        ("CONNECTOR", "connector"),
        ("ITEM", "item"),
        ("STATE", "state"),
        ("STEP", "step"),
        ("TRIES", "attempts"),
        ("NEXT TRY", "next_attempt_at"),
        ("LAST ERROR", "last_error"),
    ],
    empty: "nothing is owed",
};

/// Prints the list.
pub(super) async fn run(context: &Context, args: &QueueArgs) -> Result<Exit, CommandError> {
    list::print(context, &LIST, &args.list).await
}
