//! Templates and expressions of the configuration: minijinja, strict, with a bound on what they may cost.
//!
//! What strangers wrote is only ever a value in them: a title `{{ 7 * 7 }}` stays these seven characters.

use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value};

use super::view::{View, bare_view, names};
use crate::contract::{Cause, Item, ItemKind, PlanError, Product, SettingsError};

/// Steps of the template engine one rendering may take: thousands of lines of output, but no endless loop.
const FUEL: u64 = 100_000;
/// The longest source of a template, and the longest text one gives.
const SOURCE_BYTES_MAX: usize = 64 << 10;
const OUTPUT_BYTES_MAX: usize = 1 << 20;
/// The longest list of known names in a message.
const NAMES_MAX: usize = 40;

/// What a template is written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// Plain text or Markdown: values are inserted as they are.
    Text,
    /// HTML: values are escaped, but for `body.html`, which is sanitised.
    Html,
    /// JSON: values are written as JSON.
    Json,
}

/// A template of the configuration.
#[derive(Clone, Debug)]
pub struct Template {
    setting: &'static str,
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
        let mut environment = environment(output);
        environment.add_template_owned(NAME, source.to_owned()).map_err(|error| wrong(message(&error)))?;
        let template = environment.get_template(NAME).map_err(|error| wrong(message(&error)))?;
        for name in template.undeclared_variables(true) {
            if let Some(problem) = unknown(&name, &environment) {
                return Err(wrong(problem));
            }
        }
        Ok(Self { setting, environment })
    }

    /// The text for one change.
    ///
    /// # Errors
    /// It fails on this item, or takes too long.
    pub fn render(&self, view: &View) -> Result<String, PlanError> {
        let failed = |message: String| PlanError::Template { setting: self.setting, message };
        let template = self.environment.get_template(NAME).map_err(|error| failed(message(&error)))?;
        let text = template.render(view.value()).map_err(|error| failed(message(&error)))?;
        if text.len() > OUTPUT_BYTES_MAX {
            return Err(failed(format!("it gives more than {OUTPUT_BYTES_MAX} bytes")));
        }
        Ok(text)
    }
}

/// The only template of an environment.
const NAME: &str = "template";

fn environment(output: Output) -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    environment.set_auto_escape_callback(move |_| match output {
        Output::Text => AutoEscape::None,
        Output::Html => AutoEscape::Html,
        Output::Json => AutoEscape::Json,
    });
    environment
}

/// An error on one line, with its line number, without the values it was about.
fn message(error: &minijinja::Error) -> String {
    let line = error.line().map(|line| format!(" (line {line})")).unwrap_or_default();
    Cause::new(format!("{}{}{line}", error.kind(), error.detail().map(|detail| format!(": {detail}")).unwrap_or_default()))
        .as_str()
        .to_owned()
}

/// Why a name is no known one; `None` where it is.
fn unknown(name: &str, environment: &Environment<'_>) -> Option<String> {
    let mut parts = name.split('.');
    let (root, field) = (parts.next().unwrap_or_default(), parts.next());
    let kinds: Vec<ItemKind> = ItemKind::ALL.iter().copied().filter(|kind| kind.template_name() == root).collect();
    match kinds.first() {
        Some(kind) => {
            let known = names(*kind);
            field.filter(|field| !known.contains(field)).map(|field| format!("`{root}.{field}` is not known; known are {}", listed(&known)))
        }
        None if matches!(root, "event" | "product" | "links") => None,
        // Functions of the template engine are undeclared names to it as well.
        None if environment.globals().any(|(global, _)| global == root) => None,
        None => {
            let roots: Vec<&str> =
                ["event", "product", "links"].into_iter().chain(ItemKind::ALL.iter().map(|kind| kind.template_name())).collect();
            Some(format!("`{root}` is not known; known are {}", listed(&roots)))
        }
    }
}

fn listed(names: &[&str]) -> String {
    names.iter().take(NAMES_MAX).copied().collect::<Vec<_>>().join(", ")
}

/// A small template over a few values, for addresses; `None` where it fails.
pub(super) fn render_once(source: &str, values: serde_json::Value) -> Option<String> {
    environment(Output::Text).render_str(source, Value::from(Serde(values))).ok()
}

/// A condition of the configuration (`when`).
#[derive(Clone, Debug)]
pub struct Expression {
    source: String,
    environment: Environment<'static>,
}

impl Expression {
    /// Reads a condition on items of `kind`.
    ///
    /// # Errors
    /// It cannot be read, or names something such an item does not have.
    pub fn new(source: &str, kind: ItemKind) -> Result<Self, String> {
        if source.len() > SOURCE_BYTES_MAX {
            return Err(format!("the expression is longer than {SOURCE_BYTES_MAX} bytes"));
        }
        let environment = environment(Output::Text);
        let known = names(kind);
        let compiled = environment.compile_expression_owned(source.to_owned()).map_err(|error| message(&error))?;
        for name in compiled.undeclared_variables(false) {
            let is_known = known.contains(&name.as_str()) || environment.globals().any(|(global, _)| global == name);
            if !is_known {
                return Err(format!("`{name}` is not known; known are {}", listed(&known)));
            }
        }
        drop(compiled);
        Ok(Self { source: source.to_owned(), environment })
    }

    /// Whether it holds for an item.
    ///
    /// What is known but absent is none, and no comparison with none holds: `votes_up >= 5` is false where the votes are not known.
    ///
    /// # Errors
    /// It fails on this item, or takes too long.
    pub fn holds(&self, item: &Item, product: &Product) -> Result<bool, String> {
        let compiled = self.environment.compile_expression(&self.source).map_err(|error| message(&error))?;
        let value = compiled.eval(bare_view(item, product).value()).map_err(|error| message(&error))?;
        Ok(value.is_true())
    }
}

#[cfg(test)]
mod tests;
