//! `parked`: what waits for a person, newest first.

use clap::Args;

use super::list::{self, List, ListArgs};
use super::{CommandError, Context, Exit};

/// Lists deliveries that wait for a person
#[derive(Args, Clone, Debug)]
#[command(after_help = "Example:\n  sleeksync parked --connector tracker")]
pub struct ParkedArgs {
    #[command(flatten)]
    list: ListArgs,
}

const LIST: List = List {
    name: "parked",
    columns: &[
        ("ID", "id"),
        ("CONNECTOR", "connector"),
        ("ITEM", "item"),
        ("STEP", "step"),
        ("CLASS", "class"),
        ("REASON", "reason"),
        ("PARKED", "parked_at"),
    ],
    empty: "nothing is parked",
};

/// Prints the list.
pub(super) async fn run(context: &Context, args: &ParkedArgs) -> Result<Exit, CommandError> {
    list::print(context, &LIST, &args.list).await
}
