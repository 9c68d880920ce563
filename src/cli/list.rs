//! The four lists: how they are asked for, page by page, and printed.

use clap::Args;
use serde_json::{Value, json};

use super::client::{ApiRequest, Client};
use super::output::cell;
use super::{CommandError, Context, Exit};

/// Rows that are listed where nothing is said.
const LIMIT_DEFAULT: usize = 50;
/// Rows the API gives at once.
const PAGE_MAX: usize = 1000;
/// Pages that are read for one list.
const PAGES_MAX: usize = 10_000;

/// Which rows of a list.
#[derive(Args, Clone, Debug)]
pub struct ListArgs {
    /// Only what belongs to this connector
    #[arg(long, value_name = "NAME")]
    pub connector: Option<String>,
    /// Only what is about this item, such as feedback/48121
    #[arg(long, value_name = "ITEM")]
    pub item: Option<String>,
    /// So many rows at most
    #[arg(long, value_name = "N", default_value_t = LIMIT_DEFAULT)]
    pub limit: usize,
}

/// One list: its name in the API, its columns, what is said when it is empty.
pub(super) struct List {
    pub(super) name: &'static str,
    /// Header and key.
    pub(super) columns: &'static [(&'static str, &'static str)],
    pub(super) empty: &'static str,
}

/// Prints a list.
pub(super) async fn print(context: &Context, list: &List, args: &ListArgs) -> Result<Exit, CommandError> {
    let client = Client::new(context)?;
    let (rows, next) = rows(&client, list.name, args).await?;
    if context.output.is_json {
        context.output.json(&json!({ list.name: rows, "next": next }));
        return Ok(Exit::Done);
    }
    let headers: Vec<&str> = list.columns.iter().map(|(header, _)| *header).collect();
    let cells: Vec<Vec<String>> = rows.iter().map(|row| list.columns.iter().map(|(_, key)| cell(row, key)).collect()).collect();
    context.output.table(&headers, &cells, list.empty);
    Ok(Exit::Done)
}

/// The rows, newest first, and where the next page begins.
pub(super) async fn rows(client: &Client<'_>, name: &str, args: &ListArgs) -> Result<(Vec<Value>, Option<u64>), CommandError> {
    let (mut rows, mut before) = (Vec::new(), None);
    for _ in 0..PAGES_MAX {
        let request = ApiRequest::get(&[name])
            .with("connector", args.connector.as_ref())
            .with("item", args.item.as_ref())
            .with("limit", Some((args.limit - rows.len()).min(PAGE_MAX)))
            .with("before", before);
        let mut page = client.ask(&request).await?;
        if let Some(Value::Array(more)) = page.get_mut(name).map(Value::take) {
            rows.extend(more);
        }
        before = page.get("next").and_then(Value::as_u64);
        if before.is_none() || rows.len() >= args.limit {
            break;
        }
    }
    Ok((rows, before))
}
