//! `links`: what exists where, newest first.

use clap::Args;

use super::list::{self, List, ListArgs};
use super::{CommandError, Context, Exit};

/// Lists what exists at the services
#[derive(Args, Clone, Debug)]
#[command(after_help = "Example:\n  sleeksync links --item changelog/771")]
pub struct LinksArgs {
    #[command(flatten)]
    list: ListArgs,
}

const LIST: List = List {
    name: "links",
    columns: &[
        ("CONNECTOR", "connector"),
        ("ITEM", "item"),
        ("PART", "part"),
        ("ID THERE", "remote_id"),
        ("URL", "url"),
        ("UPDATED", "updated_at"),
    ],
    empty: "no links",
};

/// Prints the list.
pub(super) async fn run(context: &Context, args: &LinksArgs) -> Result<Exit, CommandError> {
    list::print(context, &LIST, &args.list).await
}
