//! Decisions are sent one by one; one that is refused does not keep the others back.

use serde_json::{Value, json};

use super::client::{ApiRequest, Client};
use super::output::{cell, notice};
use super::{CommandError, Context, Exit};

/// Sends decisions and prints what came of each.
pub(super) async fn send_all(context: &Context, client: &Client<'_>, requests: &[ApiRequest]) -> Result<Exit, CommandError> {
    let (mut done, mut exit) = (Vec::new(), Exit::Done);
    for request in requests {
        match client.ask(request).await {
            Ok(answer) => {
                if !context.output.is_json {
                    context.output.line(&cell(&answer, "message"));
                }
                done.push(answer);
            }
            Err(CommandError::Refused { message, hint }) => {
                notice(&CommandError::Refused { message, hint }.to_string());
                exit = Exit::Failed;
            }
            Err(error) => return Err(error),
        }
    }
    if context.output.is_json {
        context.output.json(&json!({ "done": Value::from(done) }));
    }
    Ok(exit)
}
