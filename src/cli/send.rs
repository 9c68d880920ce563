//! `send`: posts webhook bodies to the running daemon as Sleekplan would, and says what each became.
//!
//! What was made of an item follows what is sent, and no later event takes that back: so it names the items, and asks where links exist.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::Args;
use http::StatusCode;
use serde_json::{Value, json};

use super::client::{ApiRequest, Client, http_client, lost, reachable};
use super::confirm::confirm;
use super::follow::{deliveries, follow_event};
use super::output::{cell, notice};
use super::plan::read_body;
use super::{CommandError, Context, Exit};
use crate::config::{ReceiverConfig, load_receiver};
use crate::sleekplan::payload;

/// Posts webhook bodies to the running daemon, as Sleekplan would
#[derive(Args, Clone, Debug)]
#[command(after_help = "Example:\n  sleeksync send captured/*.json")]
pub struct SendArgs {
    /// Webhook bodies; `-` reads one from standard input
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Return when the events are accepted, without waiting for their deliveries
    #[arg(long)]
    detach: bool,
    /// Do not ask, also where services already hold what is sent
    #[arg(long)]
    yes: bool,
}

/// Posts the bodies one by one, and follows them.
pub(super) async fn run(context: &Context, args: &SendArgs) -> Result<Exit, CommandError> {
    let receiver = load_receiver(&context.sources)?;
    let http = http_client()?;
    let client = Client::new(context)?;
    let bodies = args.files.iter().map(|file| Ok((file, read_body(file)?))).collect::<Result<Vec<_>, CommandError>>()?;
    if !client.is_live().await {
        return Err(client.unreachable());
    }
    let linked = linked(&client, &bodies).await?;
    if !linked.is_empty() && !confirm(&format!("Sending what is held already ({})", linked.join(", ")), args.yes)? {
        return Ok(Exit::Failed);
    }
    let (mut sent, mut exit) = (Vec::new(), Exit::Done);
    for (file, body) in bodies {
        let (status, answer) = post(&http, &receiver, body).await?;
        let seq = answer.get("seq").and_then(Value::as_u64);
        let (answer, ended) = match seq {
            _ if status != StatusCode::OK => (refused(file, answer), Exit::Failed),
            Some(seq) if is_event(&answer) && !args.detach => became(&client, seq, answer).await?,
            _ => (answer, Exit::Done),
        };
        if !context.output.is_json {
            print(context, file, &answer);
        }
        if ended == Exit::Failed {
            exit = Exit::Failed;
        }
        sent.push(json!({ "file": file.display().to_string(), "answer": answer }));
    }
    if context.output.is_json {
        context.output.json(&json!({ "sent": sent }));
    }
    Ok(exit)
}

/// Names the items of all bodies, and answers which of them have links, as `item at connector`.
async fn linked(client: &Client<'_>, bodies: &[(&PathBuf, Vec<u8>)]) -> Result<Vec<String>, CommandError> {
    let mut linked = BTreeSet::new();
    for (file, body) in bodies {
        // What is not understood is no item's: the daemon says so when it is sent.
        let Ok(decoded) = payload::decode(body) else { continue };
        let items: BTreeSet<_> = decoded.targets.iter().map(|target| &target.item).collect();
        if !items.is_empty() {
            let names: Vec<String> = items.iter().map(ToString::to_string).collect();
            notice(&format!("{}: {}", file.display(), names.join(", ")));
        }
        for item in items {
            let request = ApiRequest::get(&["links"]).with("item", Some(item.qualified()));
            let links = client.ask(&request).await?.get("links").and_then(Value::as_array).cloned().unwrap_or_default();
            linked.extend(links.iter().map(|link| format!("{item} at {}", cell(link, "connector"))));
        }
    }
    Ok(linked.into_iter().collect())
}

async fn post(http: &reqwest::Client, receiver: &ReceiverConfig, body: Vec<u8>) -> Result<(StatusCode, Value), CommandError> {
    let address = receiver.listen.to_string();
    let url = format!("http://{}{}", reachable(receiver.listen), receiver.path);
    let mut request = http.post(url).header(http::header::CONTENT_TYPE, "application/json").body(body);
    if let Some(key) = receiver.keys.first() {
        request = request.header("X-Secret", key.expose());
    }
    let response = request.send().await.map_err(|error| lost(error, &address))?;
    let status = response.status();
    let answer = response.json().await.map_err(|_| CommandError::Stranger { address })?;
    Ok((status, answer))
}

fn is_event(answer: &Value) -> bool {
    matches!(cell(answer, "status").as_str(), "accepted" | "duplicate")
}

fn refused(file: &Path, answer: Value) -> Value {
    let said = answer.pointer("/error/message").and_then(Value::as_str).unwrap_or("no reason given");
    notice(&format!("{}: refused: {said}", file.display()));
    answer
}

/// Follows an event to its end: its item, its deliveries and the links they made.
async fn became(client: &Client<'_>, seq: u64, mut answer: Value) -> Result<(Value, Exit), CommandError> {
    let event = follow_event(client, seq).await?;
    let deliveries = deliveries(&event);
    let item = cell(&event, "item");
    let request = ApiRequest::get(&["links"]).with("item", Some(&item));
    let links = if item == "-" { Value::Null } else { client.ask(&request).await?.get("links").cloned().unwrap_or_default() };
    let is_parked = deliveries.iter().any(|delivery| cell(delivery, "state") == "parked");
    if let Value::Object(answer) = &mut answer {
        answer.insert("item".to_owned(), item.into());
        answer.insert("deliveries".to_owned(), deliveries.into());
        answer.insert("links".to_owned(), links);
    }
    Ok((answer, if is_parked { Exit::Failed } else { Exit::Done }))
}

fn print(context: &Context, file: &Path, answer: &Value) {
    if answer.get("error").is_some() {
        return;
    }
    let item = answer.get("item").and_then(Value::as_str).map(|item| format!(", {item}")).unwrap_or_default();
    context.output.line(&format!("{}: {} as event {}{item}", file.display(), cell(answer, "status"), cell(answer, "seq")));
    for delivery in deliveries(answer) {
        let reason = delivery.get("reason").and_then(Value::as_str).map(|reason| format!(" ({reason})")).unwrap_or_default();
        context.output.line(&format!("  {}: {}{reason}", cell(&delivery, "connector"), cell(&delivery, "state")));
    }
    for link in answer.get("links").and_then(Value::as_array).into_iter().flatten() {
        context.output.line(&format!(
            "  {} {}: {} {}",
            cell(link, "connector"),
            cell(link, "part"),
            cell(link, "remote_id"),
            cell(link, "url")
        ));
    }
}
