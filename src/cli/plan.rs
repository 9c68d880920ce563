//! `plan`: the requests that would be made, secrets redacted. Sends nothing.

use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};

use super::client::{ApiRequest, Client};
use super::output::cell;
use super::{CommandError, Context, Exit};

/// Longest body that is read, as long as the daemon takes one.
pub(super) const BODY_BYTES_MAX: u64 = 8 << 20;

/// Shows the requests that would be made, and sends nothing
#[derive(Args, Clone, Debug)]
#[command(after_help = "Example:\n  sleeksync plan captured.json --connector blog\n  sleeksync plan --item feedback/48121")]
pub struct PlanArgs {
    /// A webhook body; `-` reads it from standard input
    #[arg(value_name = "FILE", required_unless_present_any = ["event", "item"], conflicts_with_all = ["event", "item"])]
    file: Option<PathBuf>,
    /// An event of the journal
    #[arg(long, value_name = "SEQ", conflicts_with = "item")]
    event: Option<u64>,
    /// An item as it stands
    #[arg(long, value_name = "ITEM")]
    item: Option<String>,
    /// Only this connector
    #[arg(long, value_name = "NAME")]
    connector: Option<String>,
}

/// Asks for the plans and prints them.
pub(super) async fn run(context: &Context, args: &PlanArgs) -> Result<Exit, CommandError> {
    let mut body = match (&args.file, args.event, &args.item) {
        (Some(file), ..) => json!({ "body": String::from_utf8_lossy(&read_body(file)?) }),
        (None, Some(seq), _) => json!({ "event": seq }),
        (None, None, item) => json!({ "item": item }),
    };
    if let (Value::Object(body), Some(name)) = (&mut body, &args.connector) {
        body.insert("connector".to_owned(), name.clone().into());
    }
    let answer = Client::new(context)?.ask(&ApiRequest::post(&["plan"], body)).await?;
    if context.output.is_json {
        context.output.json(&answer);
        return Ok(Exit::Done);
    }
    let plans = array(&answer, "plans");
    if plans.is_empty() {
        context.output.line("no connector takes this");
    }
    plans.iter().for_each(|plan| print(context, plan));
    Ok(Exit::Done)
}

fn print(context: &Context, plan: &Value) {
    let title = format!("{} {}", cell(plan, "connector"), cell(plan, "item"));
    if let Some(reason) = plan.get("skip").and_then(Value::as_str) {
        return context.output.line(&format!("{title}: skipped, {reason}"));
    }
    context.output.line(&format!("{title}:"));
    for step in array(plan, "steps") {
        context.output.line(&format!("  {} ({})", cell(&step, "name"), cell(&step, "repeat")));
        context.output.line(&format!("    {} {}", cell(&step, "method"), cell(&step, "url")));
        if let Some(Value::Object(headers)) = step.get("headers") {
            headers.keys().for_each(|name| context.output.line(&format!("    {name}: {}", cell(&Value::Object(headers.clone()), name))));
        }
        if let Some(body) = step.get("body").filter(|body| !body.is_null()) {
            context.output.json(body);
        }
    }
}

fn array(value: &Value, key: &str) -> Vec<Value> {
    value.get(key).and_then(Value::as_array).cloned().unwrap_or_default()
}

/// A webhook body from a file, or from standard input for `-`.
pub(super) fn read_body(file: &Path) -> Result<Vec<u8>, CommandError> {
    let failed = |source| CommandError::File { path: file.to_owned(), verb: "read", source };
    let mut bytes = Vec::new();
    if file.as_os_str() == "-" {
        std::io::stdin().lock().take(BODY_BYTES_MAX).read_to_end(&mut bytes).map_err(failed)?;
    } else {
        std::fs::File::open(file).map_err(failed)?.take(BODY_BYTES_MAX).read_to_end(&mut bytes).map_err(failed)?;
    }
    Ok(bytes)
}
