//! `url`: what to paste into Sleekplan.

use clap::Args;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;

use super::output::notice;
use super::{CommandError, Context, Exit};
use crate::config::{ReceiverConfig, load_receiver};

/// Shows what to paste into Sleekplan
#[derive(Args, Clone, Debug)]
#[command(after_help = "Example:\n  sleeksync url --show-key")]
pub struct UrlArgs {
    /// Print the key too, instead of the word KEY
    #[arg(long)]
    show_key: bool,
}

/// Prints the address.
pub(super) fn run(context: &Context, args: &UrlArgs) -> Result<Exit, CommandError> {
    let receiver = load_receiver(&context.sources)?;
    let key = receiver
        .keys
        .first()
        .map(|key| if args.show_key { utf8_percent_encode(key.expose(), NON_ALPHANUMERIC).to_string() } else { "KEY".to_owned() });
    let url = key.map_or_else(|| webhook_url(&receiver), |key| format!("{}?key={key}", webhook_url(&receiver)));
    if context.output.is_json {
        context.output.json(&json!({ "url": url }));
    } else {
        context.output.line(&url);
    }
    if receiver.public_url.is_none() {
        notice("receiver.public_url is not set: this address works on this machine only");
    }
    if receiver.keys.is_empty() && !receiver.allow_unauthenticated {
        notice("receiver.keys is empty: the daemon will not start without a key");
    }
    Ok(Exit::Done)
}

/// The webhook's address without a key: the public one, or the listener's where none is configured.
pub fn webhook_url(receiver: &ReceiverConfig) -> String {
    match &receiver.public_url {
        Some(base) => format!("{}{}", base.as_str().trim_end_matches('/'), receiver.path),
        None => format!("http://{}{}", receiver.listen, receiver.path),
    }
}
