//! `check`: every mistake of the configuration in one run; with `--live`, what the services and the public address say.

use clap::Args;
use serde_json::{Value, json};
use sleeksync_connectors::contract::{Cx, Links};
use sleeksync_connectors::kit::http::{Client, ClientOptions};

use super::probe::probe;
use super::{CommandError, Context, Exit};
use crate::clock::Clock;
use crate::config::{Config, load};
use crate::delivery::proved;

/// Validates the configuration
#[derive(Args, Clone, Debug)]
#[command(after_help = "Example:\n  sleeksync check --live")]
pub struct CheckArgs {
    /// Also ask each service whether it accepts the credentials, and probe receiver.public_url from the outside
    #[arg(long)]
    live: bool,
}

/// Loads everything, and asks around where that is wanted.
pub(super) async fn run(context: &Context, args: &CheckArgs) -> Result<Exit, CommandError> {
    let config = match load(&context.sources) {
        Ok(config) => config,
        Err(error) => {
            if context.output.is_json {
                let mistakes: Vec<Value> = error
                    .mistakes
                    .iter()
                    .map(|mistake| {
                        json!({"file": mistake.file, "key": mistake.key, "problem": mistake.problem, "expected": mistake.expected})
                    })
                    .collect();
                context.output.json(&json!({ "ok": false, "mistakes": mistakes, "live": [] }));
                return Ok(Exit::Wrong);
            }
            return Err(error.into());
        }
    };
    let live = if args.live { ask_around(&config).await? } else { Vec::new() };
    let is_good = live.iter().all(|line| line.is_good);
    if context.output.is_json {
        let lines: Vec<Value> = live.iter().map(|line| json!({"what": line.what, "ok": line.is_good, "message": line.message})).collect();
        context.output.json(&json!({ "ok": is_good, "mistakes": [], "live": lines }));
    } else {
        context.output.line(&summary(&config));
        live.iter().for_each(|line| context.output.line(&format!("{}: {}", line.what, line.message)));
    }
    Ok(if is_good { Exit::Done } else { Exit::Failed })
}

fn summary(config: &Config) -> String {
    let dry = config.connectors.iter().filter(|connector| connector.enabled && connector.dry_run).count();
    let on = config.connectors.iter().filter(|connector| connector.enabled).count();
    let dry = if dry == 0 { String::new() } else { format!(", {dry} of them on dry run") };
    format!("the configuration is good: {} products, {} connectors, {on} enabled{dry}", config.products.len(), config.connectors.len())
}

/// What was asked, and what came of it.
struct Line {
    what: String,
    is_good: bool,
    message: String,
}

async fn ask_around(config: &Config) -> Result<Vec<Line>, CommandError> {
    let mut lines = Vec::new();
    for connector in config.connectors.iter().filter(|connector| connector.enabled) {
        let options = ClientOptions { timeout: connector.delivery.timeout, ..ClientOptions::default() };
        let transport = Client::new(&options).map_err(CommandError::Client)?;
        let links = Links::default();
        let cx = Cx { transport: &transport, links: &links, now: Clock::system().now() };
        let proved = proved(&*connector.instance, &cx, connector.delivery.timeout).await;
        lines.push(Line {
            what: format!("connectors.{}", connector.name),
            is_good: proved.is_ok(),
            message: match proved {
                Ok(()) => format!("{} accepts the credentials", connector.instance.scope()),
                Err(failure) => format!("{failure}: {}", failure.cause()),
            },
        });
    }
    let what = "receiver.public_url".to_owned();
    match &config.receiver.public_url {
        Some(base) => {
            let finding = probe(&config.receiver, base).await;
            lines.push(Line { what, is_good: finding.is_good(), message: finding.to_string() });
        }
        None => lines.push(Line { what, is_good: true, message: "is not set, so it was not probed".to_owned() }),
    }
    Ok(lines)
}
