//! Asks before what cannot be undone.

use std::io::{BufRead, IsTerminal, Write};

use super::CommandError;

/// Returns when a person agreed: with `--yes`, or by answering `y` on a terminal.
///
/// `Ok(false)` when they answered anything else.
pub(super) fn confirm(what: &str, yes: bool) -> Result<bool, CommandError> {
    if yes {
        return Ok(true);
    }
    if !std::io::stdin().is_terminal() {
        return Err(CommandError::Unconfirmed { what: what.to_owned() });
    }
    let answer = ask(&format!("{what} cannot be undone. Go on? [y/N]"))?;
    Ok(matches!(answer.to_lowercase().as_str(), "y" | "yes"))
}

/// Asks on the terminal; the answer without blanks around it.
pub(super) fn ask(question: &str) -> Result<String, CommandError> {
    let mut stderr = std::io::stderr().lock();
    write!(stderr, "{question} ").and_then(|()| stderr.flush()).map_err(CommandError::Answer)?;
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).map_err(CommandError::Answer)?;
    Ok(line.trim().to_owned())
}
