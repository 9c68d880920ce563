//! Conditions of the configuration: `when`.

use minijinja::value::Value;
use minijinja::{Environment, ErrorKind};

use super::known::unknown_in_expression;
use super::{Output, SOURCE_BYTES_MAX, environment, is_unknown_word, message};
use crate::contract::{Item, ItemKind, Product};
use crate::kit::view::{Absent, bare, bare_empty, is_none};

/// A condition on items of one kind, such as `votes_up >= 5 and type == 'bug'`.
///
/// What is known but absent is none: `estimated is none` holds, `status == 'open'` does not. **No comparison by size holds with none**:
/// where the votes are not known, `votes_up >= 5` is false and so is `votes_up < 5`, and so is whatever hangs on calculating with them.
/// A condition that holds either way (`votes_up < 5 or type == 'bug'`) holds.
#[derive(Clone, Debug)]
pub struct Expression {
    source: String,
    environment: Environment<'static>,
}

impl Expression {
    /// Reads a condition on items of `kind`.
    ///
    /// # Errors
    /// It cannot be read, or names something such an item does not have: with the name that was probably meant.
    pub fn new(source: &str, kind: ItemKind) -> Result<Self, String> {
        if source.len() > SOURCE_BYTES_MAX {
            return Err(format!("the expression is longer than {SOURCE_BYTES_MAX} bytes"));
        }
        if compares_with_none(source) {
            return Err("a value is compared with none by `==` or `!=`; write `is none` or `is not none`".to_owned());
        }
        let mut environment = environment(Output::Text);
        environment.add_test("none", |value: &Value| is_none(value));
        let compiled = environment.compile_expression(source).map_err(|error| message(&error))?;
        let mut names: Vec<String> = compiled.undeclared_variables(true).into_iter().collect();
        names.sort();
        if let Some(problem) = names.iter().find_map(|name| unknown_in_expression(name, kind, &environment)) {
            return Err(problem);
        }
        // Filters and tests are looked up when they are used: tried once on nothing.
        if let Err(error) = compiled.eval(bare_empty(kind))
            && is_unknown_word(&error)
        {
            return Err(message(&error));
        }
        drop(compiled);
        Ok(Self { source: source.to_owned(), environment })
    }

    /// Whether it holds for an item.
    ///
    /// # Errors
    /// It fails on this item although nothing in it is absent, or takes too long.
    pub fn holds(&self, item: &Item, product: &Product) -> Result<bool, String> {
        // The engine sorts none before everything else, so `votes_up < 5` would hold. Sorted last, it would not: only what holds both
        // ways does not hang on it.
        Ok(self.holds_with(item, product, Absent::None)? && self.holds_with(item, product, Absent::Last)?)
    }

    fn holds_with(&self, item: &Item, product: &Product, absent: Absent) -> Result<bool, String> {
        let compiled = self.environment.compile_expression(&self.source).map_err(|error| message(&error))?;
        let fields = bare(item, product, absent);
        match compiled.eval(fields.clone()) {
            Ok(value) => Ok(value.is_true()),
            Err(error) if error.kind() == ErrorKind::OutOfFuel => Err(message(&error)),
            Err(_) if compiled.undeclared_variables(true).iter().any(|path| is_absent(&fields, path)) => Ok(false),
            Err(error) => Err(message(&error)),
        }
    }
}

/// Whether `path` leads to something absent.
fn is_absent(fields: &Value, path: &str) -> bool {
    let mut value = fields.clone();
    for name in path.split('.') {
        value = match value.get_attr(name) {
            Ok(below) if !below.is_undefined() => below,
            _ => return true,
        };
        if is_none(&value) {
            return true;
        }
    }
    false
}

/// Whether `none` stands beside `==` or `!=`, outside of quotes.
fn compares_with_none(source: &str) -> bool {
    let (mut words, mut quote) = (vec![String::new()], None);
    for c in source.chars() {
        match quote {
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if matches!(c, '\'' | '"') => {
                quote = Some(c);
                words.push("''".to_owned());
                words.push(String::new());
            }
            None => {
                let joins = |last: &String| last.chars().last().is_none_or(|before| kind_of(before) == kind_of(c));
                match words.last_mut() {
                    Some(last) if joins(last) => last.push(c),
                    _ => words.push(c.to_string()),
                }
            }
        }
    }
    let words: Vec<&str> = words.iter().map(|word| word.trim()).filter(|word| !word.is_empty()).collect();
    let is_none = |word: &str| matches!(word, "none" | "None" | "null");
    words.windows(2).any(|pair| match pair {
        [a, b] => (matches!(*a, "==" | "!=") && is_none(b)) || (is_none(a) && matches!(*b, "==" | "!=")),
        _ => false,
    })
}

/// Characters of one kind make one word.
fn kind_of(c: char) -> u8 {
    match c {
        c if c.is_alphanumeric() || matches!(c, '_' | '.') => 0,
        c if c.is_whitespace() => 1,
        '=' | '!' => 2,
        _ => 3,
    }
}
