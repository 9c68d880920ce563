//! Slack's published limits of messages: what the real one would refuse, a fake refuses too.
//!
//! The numbers are those of docs.slack.dev, "Block Kit" (reference of each block and object) and "chat.postMessage". Slack publishes no schema
//! of its own that knows today's blocks.

use std::collections::BTreeSet;

use serde_json::Value;

/// "You can include up to 50 blocks in each message".
const BLOCKS_MAX: usize = 50;
/// "the main body of the text … we recommend limiting to 4,000 characters"; 40,000 are cut.
const TEXT_MAX: usize = 4_000;
/// Section: text.
const SECTION_MAX: usize = 3_000;
/// Section: fields, and the text of each.
const FIELDS_MAX: (usize, usize) = (10, 2_000);
/// Header: plain text.
const HEADER_MAX: usize = 150;
/// Context: elements.
const CONTEXT_MAX: usize = 10;
/// Actions: elements.
const ACTIONS_MAX: usize = 25;
/// Button: text, url, `action_id`.
const BUTTON_MAX: (usize, usize, usize) = (75, 3_000, 255);

/// Whether Slack takes this message.
///
/// # Errors
/// What it would refuse, in words.
pub fn check(message: &Value) -> Result<(), String> {
    let text = message.get("text").and_then(Value::as_str).unwrap_or_default();
    length("text", text, TEXT_MAX)?;
    let blocks = message.get("blocks").and_then(Value::as_array).ok_or("there are no blocks")?;
    if blocks.is_empty() || blocks.len() > BLOCKS_MAX {
        return Err(format!("{} blocks", blocks.len()));
    }
    let mut ids = BTreeSet::new();
    blocks.iter().try_for_each(|block| check_block(block, &mut ids))
}

/// Every text of a message, with its type.
pub fn texts(message: &Value) -> Vec<(String, String)> {
    let mut texts: Vec<(String, String)> =
        message.get("text").and_then(Value::as_str).map(|text| ("mrkdwn".to_owned(), text.to_owned())).into_iter().collect();
    collect(message.get("blocks").unwrap_or(&Value::Null), &mut texts);
    texts
}

fn collect(value: &Value, texts: &mut Vec<(String, String)>) {
    match value {
        Value::Array(list) => list.iter().for_each(|value| collect(value, texts)),
        Value::Object(map) => {
            if let (Some(kind @ ("mrkdwn" | "plain_text")), Some(text)) = (kind(value), map.get("text").and_then(Value::as_str)) {
                texts.push((kind.to_owned(), text.to_owned()));
            }
            map.values().for_each(|value| collect(value, texts));
        }
        _ => {}
    }
}

fn kind(value: &Value) -> Option<&str> {
    value.get("type").and_then(Value::as_str)
}

/// JavaScript's length, which is the longest way to count.
fn length(what: &str, text: &str, max: usize) -> Result<(), String> {
    match text.encode_utf16().count() {
        0 => Err(format!("{what} is empty")),
        length if length > max => Err(format!("{what} has {length} characters, Slack takes {max}")),
        _ => Ok(()),
    }
}

fn check_block(block: &Value, ids: &mut BTreeSet<String>) -> Result<(), String> {
    match kind(block) {
        Some("section") => {
            let fields = block.get("fields").and_then(Value::as_array);
            if let Some(fields) = fields {
                count("fields", fields.len(), FIELDS_MAX.0)?;
                fields.iter().try_for_each(|field| check_text(field, &["mrkdwn", "plain_text"], FIELDS_MAX.1))?;
            }
            match block.get("text") {
                Some(text) => check_text(text, &["mrkdwn", "plain_text"], SECTION_MAX),
                None if fields.is_some() => Ok(()),
                None => Err("a section has no text".to_owned()),
            }
        }
        Some("header") => check_text(block.get("text").unwrap_or(&Value::Null), &["plain_text"], HEADER_MAX),
        Some("context") => {
            let elements = elements(block)?;
            count("elements of a context", elements.len(), CONTEXT_MAX)?;
            elements.iter().try_for_each(|element| check_text(element, &["mrkdwn", "plain_text"], SECTION_MAX))
        }
        Some("actions") => {
            let elements = elements(block)?;
            count("elements of actions", elements.len(), ACTIONS_MAX)?;
            elements.iter().try_for_each(|element| check_button(element, ids))
        }
        Some("divider") => Ok(()),
        other => Err(format!("a block of type {other:?}")),
    }
}

fn elements(block: &Value) -> Result<&Vec<Value>, String> {
    block.get("elements").and_then(Value::as_array).ok_or_else(|| "a block has no elements".to_owned())
}

fn count(what: &str, count: usize, max: usize) -> Result<(), String> {
    if (1..=max).contains(&count) { Ok(()) } else { Err(format!("{count} {what}, Slack takes 1 to {max}")) }
}

fn check_text(object: &Value, kinds: &[&str], max: usize) -> Result<(), String> {
    let kind = kind(object).unwrap_or_default();
    if !kinds.contains(&kind) {
        return Err(format!("a text of type {kind:?}"));
    }
    if object.get("emoji").is_some() && kind != "plain_text" || object.get("verbatim").is_some() && kind != "mrkdwn" {
        return Err(format!("a {kind} with a setting of the other kind"));
    }
    length(kind, object.get("text").and_then(Value::as_str).unwrap_or_default(), max)
}

fn check_button(button: &Value, ids: &mut BTreeSet<String>) -> Result<(), String> {
    if kind(button) != Some("button") {
        return Err(format!("an element of type {:?}", kind(button)));
    }
    check_text(button.get("text").unwrap_or(&Value::Null), &["plain_text"], BUTTON_MAX.0)?;
    let text = |name: &str| button.get(name).and_then(Value::as_str).unwrap_or_default();
    length("url", text("url"), BUTTON_MAX.1)?;
    if !text("url").starts_with("https://") && !text("url").starts_with("http://") {
        return Err(format!("a button leads to {}", text("url")));
    }
    length("action_id", text("action_id"), BUTTON_MAX.2)?;
    if ids.insert(text("action_id").to_owned()) { Ok(()) } else { Err("two buttons have one action_id".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn with(block: Value) -> Result<(), String> {
        check(&json!({"text": "x", "blocks": [block]}))
    }

    #[test]
    fn what_slack_would_refuse_is_refused() {
        let text = |kind: &str, length: usize| json!({"type": kind, "text": "x".repeat(length)});
        let button = |label: usize, url: usize| {
            let url = format!("https://{}", "x".repeat(url - 8));
            json!({"type": "actions", "elements": [{"type": "button", "action_id": "a", "url": url, "text": text("plain_text", label)}]})
        };
        for (good, bad) in [
            (json!({"type": "section", "text": text("mrkdwn", 3000)}), json!({"type": "section", "text": text("mrkdwn", 3001)})),
            (json!({"type": "section", "text": text("mrkdwn", 1)}), json!({"type": "section", "text": text("mrkdwn", 0)})),
            (json!({"type": "header", "text": text("plain_text", 150)}), json!({"type": "header", "text": text("plain_text", 151)})),
            (json!({"type": "header", "text": text("plain_text", 1)}), json!({"type": "header", "text": text("mrkdwn", 1)})),
            (
                json!({"type": "section", "fields": vec![text("mrkdwn", 2000); 10]}),
                json!({"type": "section", "fields": vec![text("mrkdwn", 1); 11]}),
            ),
            (
                json!({"type": "context", "elements": vec![text("mrkdwn", 1); 10]}),
                json!({"type": "context", "elements": vec![text("mrkdwn", 1); 11]}),
            ),
            (button(75, 3000), button(76, 3000)),
            (button(75, 3000), button(75, 3001)),
            (json!({"type": "divider"}), json!({"type": "marquee"})),
        ] {
            assert_eq!(with(good.clone()), Ok(()), "{good}");
            assert!(with(bad.clone()).is_err(), "{bad}");
        }
        let divider = json!({"type": "divider"});
        assert!(check(&json!({"text": "x", "blocks": vec![divider.clone(); 51]})).is_err());
        assert!(check(&json!({"text": "", "blocks": [divider]})).is_err());
    }
}
