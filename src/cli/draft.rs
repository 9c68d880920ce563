//! A configuration while `init` writes it: the commented example with some of its keys set, and connectors at its end.

use toml::Value;

/// The commented configuration that comes with the release.
const EXAMPLE: &str = include_str!("../../config/sleeksync.toml");

/// Where the example's own connector begins: `init` writes others.
const CONNECTORS: &str = "#[connectors.blog]";

/// The text, line by line.
pub(super) struct Draft {
    lines: Vec<String>,
}

impl Draft {
    /// The example without its connector.
    pub(super) fn of_example() -> Self {
        Self { lines: EXAMPLE.lines().take_while(|line| *line != CONNECTORS).map(str::to_owned).collect() }
    }

    /// Sets a key of a section to a TOML value, where the example has it commented out.
    pub(super) fn set(&mut self, section: &str, key: &str, value: &str) {
        let header = format!("[{section}]");
        let is_header = |line: &String| line.starts_with('[') || line.starts_with("#[");
        let Some(start) = self.lines.iter().position(|line| line.trim_start_matches('#') == header) else { return };
        let found = self.lines.iter_mut().skip(start + 1).take_while(|line| !is_header(line)).find(|line| {
            let name = line.trim_start_matches('#').split_once(" = ").map(|(name, _)| name);
            name == Some(key)
        });
        if let Some(line) = found {
            *line = format!("{key} = {value}");
        }
    }

    /// Gives the example's product a name, and makes its table count.
    pub(super) fn name_product(&mut self, name: &str) {
        for line in self.lines.iter_mut().filter(|line| *line == "#[products.acme]") {
            *line = format!("[products.{}]", key(name));
        }
    }

    /// Adds a connector on dry run. A setting may be any TOML value; what is none is a text.
    pub(super) fn add_connector(&mut self, name: &str, kind: &str, settings: &[(String, String)]) {
        let mut add = |line: String| self.lines.push(line);
        add(format!("[connectors.{}]", key(name)));
        add(format!("kind = {}", text_value(kind)));
        add("# Real events are planned and shown, and nothing is sent. Take this out when `sleeksync plan` shows what you want.".to_owned());
        add("dry_run = true".to_owned());
        for (setting, value) in settings {
            add(format!("{setting} = {}", value_of(value)));
        }
        add(format!("# `sleeksync kinds {kind}` shows its other settings."));
        add(String::new());
    }

    /// The text of the file.
    pub(super) fn into_text(self) -> String {
        self.lines.join("\n").trim_end().to_owned() + "\n"
    }
}

/// `text` as a TOML string.
pub(super) fn text_value(text: &str) -> String {
    Value::String(text.to_owned()).to_string()
}

/// A name as a TOML key: quoted where it is no plain one, so that `check` and not the syntax complains about it.
fn key(name: &str) -> String {
    let is_bare = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
    if is_bare { name.to_owned() } else { text_value(name) }
}

/// What a person typed as a TOML value: lists, tables, texts in quotes, booleans and whole numbers as they are, anything else as text.
fn value_of(typed: &str) -> String {
    let is_structured = typed.starts_with(['[', '{', '"', '\'']) || matches!(typed, "true" | "false");
    // A leading zero or a long number is a key or a telephone number, and stays what it is only as text.
    let is_number = typed.len() < 10 && !typed.starts_with('0') && !typed.is_empty() && typed.bytes().all(|b| b.is_ascii_digit());
    let parses = || toml::from_str::<toml::Table>(&format!("value = {typed}")).is_ok_and(|table| table.len() == 1);
    if (is_structured || is_number) && parses() { typed.to_owned() } else { text_value(typed) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_becomes_the_toml_it_means() {
        for (typed, expected) in [
            ("https://blog.example.com", "\"https://blog.example.com\""),
            ("{ env = \"WP\" }", "{ env = \"WP\" }"),
            ("[\"a\", \"b\"]", "[\"a\", \"b\"]"),
            ("true", "true"),
            ("42", "42"),
            ("007", "\"007\""),
            ("1e5", "\"1e5\""),
            ("[a", "\"[a\""),
            ("1\nenabled = false", "\"1\\nenabled = false\""),
        ] {
            let value: toml::Table = toml::from_str(&format!("v = {}", value_of(typed))).unwrap();
            let wanted: toml::Table = toml::from_str(&format!("v = {expected}")).unwrap();
            assert_eq!(value, wanted, "{typed}");
        }
    }

    #[test]
    fn keys_are_set_where_the_example_explains_them() {
        let mut draft = Draft::of_example();
        draft.set("receiver", "public_url", "\"https://hooks.example.com\"");
        draft.name_product("acme-2");
        draft.set("products.acme-2", "id", "7");
        draft.add_connector("news", "chat", &[("webhook_url".to_owned(), "{ env = \"X\" }".to_owned())]);
        let table: toml::Table = toml::from_str(&draft.into_text()).unwrap();
        assert_eq!(table["receiver"]["public_url"].as_str(), Some("https://hooks.example.com"));
        assert_eq!(table["products"]["acme-2"]["id"].as_integer(), Some(7));
        assert_eq!(table["connectors"]["news"]["dry_run"].as_bool(), Some(true));
        assert_eq!(table["connectors"].as_table().unwrap().len(), 1);
    }
}
