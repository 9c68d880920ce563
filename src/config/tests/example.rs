//! The commented configuration that users start from: it loads as it stands, with every key uncommented, and it has every key.

use sleeksync_connectors::registry::REGISTRY;

use super::{Case, KEYS};

const EXAMPLE: &str = include_str!("../../../config/sleeksync.toml");

/// `#key = …` and `#[table]` without the `#`; explanations start with `# `.
fn uncommented() -> String {
    let keys = |line: &str| match line.strip_prefix('#') {
        Some(rest) if rest.starts_with(|c: char| c.is_ascii_alphabetic() || c == '[') => rest.to_owned(),
        _ => line.to_owned(),
    };
    EXAMPLE.lines().map(keys).collect::<Vec<_>>().join("\n")
}

/// With the secrets, which are not of this process, as literals.
fn case(text: &str) -> Case {
    let words: Vec<&str> = text.split("{ env = \"").collect();
    let literal: Vec<String> = words
        .iter()
        .enumerate()
        .map(|(place, part)| if place == 0 { (*part).to_owned() } else { format!("\"{}", part.replacen("\" }", "\"", 1)) })
        .collect();
    // Some keys and addresses have forms of their own, which are checked.
    let forms = [
        ("\"GHOST_ADMIN_KEY\"", "\"6b06:00ff\""),
        ("\"HOOK_SECRET\"", "\"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\""),
        ("\"SLEEKPLAN_DATABASE_URL\"", "\"postgres://ann:x@db.example.com/app\""),
    ];
    Case::of(&forms.iter().fold(literal.concat(), |text, (name, form)| text.replace(name, form)))
}

/// The keys a table takes, as the message about an unknown one names them.
fn keys_of(table: &str) -> Vec<String> {
    let lines = Case::of(&format!("{table}\nzzzzzzzzzz = 1\n")).lines();
    let line = lines.iter().find(|line| line.contains("zzzzzzzzzz: unknown key")).unwrap_or_else(|| panic!("{lines:?}"));
    line.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn it_loads_as_it_stands_and_gives_the_defaults() {
    let (example, plain) = (case(EXAMPLE).load(), Case::of(KEYS).load());
    let shown = |config: &crate::config::Config, case: &Case| format!("{config:?}").replace(&case.folder.path().display().to_string(), "");
    let (one, two) = (case(EXAMPLE), Case::of(KEYS));
    assert_eq!(shown(&one.load(), &one), shown(&two.load(), &two));
    assert_eq!(example.connectors.len(), plain.connectors.len());
}

#[test]
fn it_loads_with_every_key_uncommented() {
    let config = case(&uncommented()).load();
    assert_eq!(config.connectors.len(), 1);
    assert_eq!(config.products.len(), 1);
}

#[test]
fn its_defaults_are_the_built_in_ones() {
    let with_keys = case(&uncommented()).load();
    let plain = Case::of(KEYS).load();
    assert_eq!(with_keys.log, plain.log);
    assert_eq!(with_keys.receiver.listen, plain.receiver.listen);
    assert_eq!(with_keys.receiver.body_bytes_max, plain.receiver.body_bytes_max);
    assert_eq!(with_keys.receiver.connections_max, plain.receiver.connections_max);
    assert_eq!(with_keys.admin.listen, plain.admin.listen);
    assert_eq!(with_keys.store.retention, plain.store.retention);
    assert_eq!(with_keys.store.free_bytes_min, plain.store.free_bytes_min);
    assert_eq!(with_keys.delivery.backoff_max, plain.delivery.backoff_max);
    assert_eq!(with_keys.delivery.park_after, plain.delivery.park_after);
}

#[test]
fn it_has_every_key_there_is() {
    let document: toml::Table = toml::from_str(&uncommented()).unwrap();
    for section in ["receiver", "admin", "store", "products.acme", "delivery", "log"] {
        let table = section.split('.').fold(&document, |table, key| table[key].as_table().unwrap());
        for key in keys_of(&format!("[{section}]")) {
            assert!(table.contains_key(&key), "{section}.{key} is not in the example");
        }
    }
    for key in crate::config::raw::RawConnector::KEYS {
        assert!(document["connectors"]["blog"].as_table().unwrap().contains_key(*key), "connectors.NAME.{key} is not in the example");
    }
}

#[test]
fn the_example_of_every_kind_loads_as_it_stands_and_with_every_key_uncommented() {
    for kind in REGISTRY {
        let uncommented = |line: &str| {
            let bare = line
                .trim_start()
                .strip_prefix("# ")
                .filter(|rest| rest.split_once(" = ").is_some_and(|(key, _)| key.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')));
            bare.unwrap_or(line).to_owned()
        };
        let whole = kind.example.lines().map(uncommented).collect::<Vec<_>>().join("\n");
        for text in [kind.example, &whole] {
            let mut case = case(&format!("{KEYS}{text}"));
            case.sources.kinds = REGISTRY;
            let config = case.load();
            assert_eq!(config.connectors.len(), 1, "{}", kind.name);
            assert_eq!(config.connectors[0].kind.name, kind.name);
        }
    }
}
