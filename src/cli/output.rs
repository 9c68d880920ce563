//! What commands print: lines and tables for people, JSON for programs, on standard output.
//!
//! Whatever a stranger wrote is inert on the terminal: every line and cell goes through [`terminal`].

use std::io::Write;

use comfy_table::{ContentArrangement, Table, presets};
use serde_json::Value;
use sleeksync_connectors::kit::text::terminal;

/// Prints a command's answer.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    /// Programs read it.
    pub is_json: bool,
}

impl Output {
    /// One line, in either mode.
    pub(super) fn line(self, text: &str) {
        write(&terminal(text));
    }

    /// Several lines of our own making: nothing of a stranger's in it.
    pub(super) fn text(self, text: &str) {
        write(text.trim_end());
    }

    /// An object, for programs.
    pub(super) fn json(self, value: &Value) {
        // `Value` holds nothing that cannot be written.
        write(&serde_json::to_string_pretty(value).unwrap_or_default());
    }

    /// A table, for people; a line in its place when it is empty.
    pub(super) fn table(self, headers: &[&str], rows: &[Vec<String>], empty: &str) {
        if rows.is_empty() {
            return write(empty);
        }
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled).set_header(headers.to_vec());
        for row in rows {
            table.add_row(row.iter().map(|cell| terminal(cell)));
        }
        for line in table.to_string().lines() {
            write(line.trim_end());
        }
    }
}

fn write(line: &str) {
    // Who closed the pipe has read enough.
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

/// Something for the person at the terminal that is not the answer: on standard error.
pub(super) fn notice(text: &str) {
    // Nobody is there to read it.
    let _ = writeln!(std::io::stderr().lock(), "{}", terminal(text));
}

/// The text, number or nothing in `value[key]`, as a cell.
pub(super) fn cell(value: &Value, key: &str) -> String {
    match value.get(key) {
        None | Some(Value::Null) => "-".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}
