//! The log: lines for people or JSON for machines, on standard error.
//!
//! What strangers wrote may stand in any field. In the text format nothing of it reaches the terminal as a command, and no field can
//! begin a line of its own. Standard output stays free for answers.

use std::fmt::{self, Write as _};
use std::io::IsTerminal;

use sleeksync_connectors::kit::text::terminal;
use tracing::Subscriber;
use tracing::field::{Field, Visit};
use tracing_subscriber::field::RecordFields;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FormatFields, MakeWriter};
use tracing_subscriber::{EnvFilter, Layer, Registry, layer::SubscriberExt};

use crate::config::{LogConfig, LogFormat};

/// Whether the log is coloured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl Color {
    /// What it means for standard error.
    pub fn on_stderr(self) -> bool {
        match self {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
        }
    }
}

/// The log cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum StartLogError {
    /// The filter is none.
    #[error("log.filter cannot be read")]
    Filter(#[from] tracing_subscriber::filter::ParseError),
    /// This process has a log already.
    #[error("the log was started before")]
    Twice(#[from] tracing::subscriber::SetGlobalDefaultError),
}

/// Starts the log of this process.
///
/// # Errors
/// A filter that is none, or a second start.
pub fn start(config: &LogConfig, color: Color) -> Result<(), StartLogError> {
    let subscriber = subscriber(config, color.on_stderr(), std::io::stderr)?;
    Ok(tracing::subscriber::set_global_default(subscriber)?)
}

/// A log that writes with `writer`.
///
/// # Errors
/// A filter that is none.
pub fn subscriber<W>(config: &LogConfig, is_colored: bool, writer: W) -> Result<impl Subscriber + Send + Sync, StartLogError>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let filter = EnvFilter::try_new(&config.filter)?;
    let layer: Box<dyn Layer<Registry> + Send + Sync> = match config.format {
        LogFormat::Json => {
            let json = tracing_subscriber::fmt::layer().json().flatten_event(true).with_current_span(true).with_span_list(false);
            json.with_writer(writer).with_filter(filter).boxed()
        }
        LogFormat::Text => {
            let text = tracing_subscriber::fmt::layer().with_ansi(is_colored).with_target(false).fmt_fields(Defused);
            text.with_writer(writer).with_filter(filter).boxed()
        }
    };
    Ok(Registry::default().with(layer))
}

/// Writes fields as `name=value`, with every control character shown instead of sent.
struct Defused;

impl<'writer> FormatFields<'writer> for Defused {
    fn format_fields<R: RecordFields>(&self, writer: Writer<'writer>, fields: R) -> fmt::Result {
        let mut line = Line { writer, is_first: true, result: Ok(()) };
        fields.record(&mut line);
        line.result
    }
}

struct Line<'writer> {
    writer: Writer<'writer>,
    is_first: bool,
    result: fmt::Result,
}

impl Line<'_> {
    fn write(&mut self, field: &Field, value: &str) {
        let gap = if std::mem::take(&mut self.is_first) { "" } else { " " };
        let value = terminal(value);
        let written = match field.name() {
            "message" => write!(self.writer, "{gap}{value}"),
            name => write!(self.writer, "{gap}{name}={value}"),
        };
        self.result = self.result.and(written);
    }
}

impl Visit for Line<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        // Quoted where a blank or an equals sign would make one field look like two.
        if field.name() == "message" || !value.contains([' ', '=', '"']) {
            self.write(field, value);
        } else {
            self.write(field, &format!("{value:?}"));
        }
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        let mut chain = value.to_string();
        let mut source = value.source();
        while let Some(error) = source {
            // Writing into a String cannot fail.
            let _ = write!(chain, ": {error}");
            source = error.source();
        }
        self.write(field, &chain);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.write(field, &format!("{value:?}"));
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    impl MakeWriter<'_> for Lines {
        type Writer = Lines;

        fn make_writer(&self) -> Lines {
            self.clone()
        }
    }

    fn logged(format: LogFormat, filter: &str, log: impl FnOnce()) -> String {
        let lines = Lines::default();
        let config = LogConfig { format, filter: filter.to_owned() };
        tracing::subscriber::with_default(subscriber(&config, false, lines.clone()).unwrap(), log);
        let bytes = lines.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    const HOSTILE: &str = "a\u{1b}[31mred\u{1b}]0;title\u{7}\nERROR forged\u{202e}\u{9b}2J";

    #[test]
    fn text_of_strangers_is_no_command_and_no_line_of_its_own() {
        let text = logged(LogFormat::Text, "info", || {
            tracing::info!(item = HOSTILE, class = %HOSTILE, chars = ?HOSTILE, "{HOSTILE}");
            let _span = tracing::info_span!("task", name = HOSTILE).entered();
            tracing::info!("within");
        });
        assert_eq!(text.lines().count(), 2, "{text:?}");
        assert!(!text.contains(|c: char| (c.is_control() && c != '\n') || c == '\u{202e}'), "{text:?}");
        assert!(text.contains("forged"), "the words are kept: {text:?}");
    }

    #[test]
    fn json_is_one_object_a_line() {
        let text = logged(LogFormat::Json, "info", || tracing::info!(item = HOSTILE, "said"));
        let object: serde_json::Value = serde_json::from_str(text.trim_end()).unwrap();
        assert_eq!((object["message"].as_str(), object["item"].as_str()), (Some("said"), Some(HOSTILE)));
        assert!(!text.trim_end().contains(|c: char| c.is_ascii_control()), "{text:?}");
    }

    #[test]
    fn the_filter_decides_what_is_logged() {
        let text = logged(LogFormat::Text, "warn", || {
            tracing::info!("quiet");
            tracing::warn!(attempt = 2, "loud");
        });
        assert!(text.contains("loud attempt=2") && !text.contains("quiet"), "{text:?}");
    }
}
