//! Templates and expressions of the configuration: minijinja, strict, with a bound on what they may cost.
//!
//! What strangers wrote is only ever a value in them: a title `{{ 7 * 7 }}` stays these seven characters.

mod expression;
mod known;

use std::io;

use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, ErrorKind, UndefinedBehavior, Value};

use self::known::unknown_in_template;
use super::text::{Dialect, Format, Text};
use super::view::{View, empty};
use crate::contract::{Cause, PlanError, SettingsError};

pub use expression::Expression;

/// Steps of the template engine one rendering may take: thousands of lines of output, but no endless loop.
const FUEL: u64 = 100_000;
/// The longest source of a template.
const SOURCE_BYTES_MAX: usize = 64 << 10;
/// The longest text a template gives.
const OUTPUT_BYTES_MAX: usize = 1 << 20;

/// What a template is written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// Plain text: values are inserted as they are. What is made of it is made inert by who sends it.
    Text,
    /// Markdown: values are written as text that is inert in `dialect`, each cut to `chars_max`; `body.markdown` is so already.
    Markdown {
        /// Where it is read.
        dialect: Dialect,
        /// The longest a value may be, in characters.
        chars_max: usize,
    },
    /// Slack's mrkdwn: values are written as text that is inert there, each cut to `chars_max`; `body.markdown` is the long text in mrkdwn.
    Slack {
        /// The longest a value may be, in characters.
        chars_max: usize,
    },
    /// HTML: values are escaped, but for `body.html`, which is sanitised.
    Html,
    /// JSON: values are written as JSON.
    Json,
}

impl Output {
    /// The markup that values are made inert in, and the longest one may be; none where the engine's own escaping does it, or nothing.
    pub(super) fn markup(self) -> Option<(Format, usize)> {
        match self {
            Output::Markdown { dialect, chars_max } => Some((Format::Markdown(dialect), chars_max)),
            Output::Slack { chars_max } => Some((Format::Slack, chars_max)),
            Output::Text | Output::Html | Output::Json => None,
        }
    }
}

/// A template of the configuration.
#[derive(Clone, Debug)]
pub struct Template {
    setting: &'static str,
    output: Output,
    environment: Environment<'static>,
}

impl Template {
    /// Reads the template of `setting`.
    ///
    /// # Errors
    /// It cannot be read, or names something no item has.
    pub fn new(setting: &'static str, source: &str, output: Output) -> Result<Self, SettingsError> {
        let wrong = |problem: String| SettingsError { key: setting, problem, expected: "a template such as {{ entry.title }}" };
        if source.len() > SOURCE_BYTES_MAX {
            return Err(wrong(format!("the template is longer than {SOURCE_BYTES_MAX} bytes")));
        }
        if source.trim().is_empty() {
            return Err(wrong("is empty".to_owned()));
        }
        if source.contains("autoescape") {
            return Err(wrong("escaping cannot be switched off: what strangers wrote would act".to_owned()));
        }
        let mut environment = environment(output);
        environment.add_template_owned(NAME, source.to_owned()).map_err(|error| wrong(message(&error)))?;
        let template = environment.get_template(NAME).map_err(|error| wrong(message(&error)))?;
        let mut names: Vec<String> = template.undeclared_variables(true).into_iter().collect();
        names.sort();
        if let Some(problem) = names.iter().find_map(|name| unknown_in_template(name, &environment)) {
            return Err(wrong(problem));
        }
        // Filters, tests and functions are looked up when they are used: tried once on nothing.
        if let Err(error) = template.render(empty().value(output))
            && is_unknown_word(&error)
        {
            return Err(wrong(message(&error)));
        }
        Ok(Self { setting, output, environment })
    }

    /// The text for one change.
    ///
    /// # Errors
    /// It fails on this item, or takes too long.
    pub fn render(&self, view: &View) -> Result<String, PlanError> {
        let failed = |message: String| PlanError::Template { setting: self.setting, message };
        let template = self.environment.get_template(NAME).map_err(|error| failed(message(&error)))?;
        let mut written = Bounded(Vec::new());
        match template.render_captured_to(self.value(view), &mut written) {
            Ok(_) => Ok(String::from_utf8(written.0).unwrap_or_default()),
            Err(error) if error.kind() == ErrorKind::WriteFailure => Err(failed(format!("it gives more than {OUTPUT_BYTES_MAX} bytes"))),
            Err(error) => Err(failed(message(&error))),
        }
    }

    fn value(&self, view: &View) -> Value {
        view.value(self.output)
    }
}

/// Takes as much as a template may give, and fails where it gives more.
struct Bounded(Vec<u8>);

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > OUTPUT_BYTES_MAX {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The only template of an environment.
const NAME: &str = "template";

fn environment(output: Output) -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    // What strangers wrote is escaped, whatever a template says.
    environment.remove_filter("safe");
    environment.set_auto_escape_callback(move |_| match output {
        Output::Text => AutoEscape::None,
        Output::Html => AutoEscape::Html,
        Output::Json => AutoEscape::Json,
        Output::Markdown { .. } | Output::Slack { .. } => AutoEscape::Custom("markdown".into()),
    });
    if let Some((format, chars_max)) = output.markup() {
        // It calls its result safe, and makes it so for HTML alone.
        environment.remove_filter("tojson");
        environment.set_formatter(move |out, _, value| Ok(out.write_str(&in_markup(value, format, chars_max))?));
    }
    environment
}

/// A value inside of markup: what is safe and web addresses as they are, everything else as text.
fn in_markup(value: &Value, format: Format, chars_max: usize) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match () {
        () if value.is_none() => "none".to_owned(),
        () if value.is_safe() || is_address(&text) => text,
        () => Text::from_plain(&text).cut(format, chars_max).0.trim().to_owned(),
    }
}

/// Whether this is a web address without a sign that could end a link or mean anything to a reader of Markdown.
fn is_address(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b":/?&=.%+-_~".contains(&byte);
    (text.starts_with("https://") || text.starts_with("http://")) && text.bytes().all(is_plain)
}

/// An error on one line, with its line number, without the values it was about.
fn message(error: &minijinja::Error) -> String {
    let line = error.line().map(|line| format!(" (line {line})")).unwrap_or_default();
    Cause::new(format!("{}{}{line}", error.kind(), error.detail().map(|detail| format!(": {detail}")).unwrap_or_default()))
        .as_str()
        .to_owned()
}

/// Whether a filter, test or function is meant that does not exist.
fn is_unknown_word(error: &minijinja::Error) -> bool {
    matches!(error.kind(), ErrorKind::UnknownFilter | ErrorKind::UnknownTest | ErrorKind::UnknownFunction)
}

/// A small template over a few values, for addresses; `None` where it fails.
pub(super) fn render_once(source: &str, values: serde_json::Value) -> Option<String> {
    environment(Output::Text).render_str(source, Value::from(Serde(values))).ok()
}

#[cfg(test)]
mod tests;
