//! The program: arguments in, exit code out.

use std::io::Write;
use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;
use sleeksync::cli::{Cli, CommandError, Exit};

fn main() -> ExitCode {
    let cli = Cli::parse();
    match execute(cli) {
        Ok(exit) => ExitCode::from(exit.code()),
        Err(error) => {
            let exit = error.downcast_ref::<CommandError>().map_or(Exit::Failed, CommandError::exit);
            complain(&error);
            ExitCode::from(exit.code())
        }
    }
}

fn execute(cli: Cli) -> anyhow::Result<Exit> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("the runtime cannot be started")?;
    Ok(runtime.block_on(cli.execute())?)
}

/// Configuration mistakes stand by themselves, one a line; anything else is one line with its causes.
fn complain(error: &anyhow::Error) {
    let text = match error.downcast_ref::<CommandError>() {
        Some(CommandError::Config(mistakes)) => mistakes.to_string(),
        _ => format!("sleeksync: {error:#}"),
    };
    // Nobody is there to read it.
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}
