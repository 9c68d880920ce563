//! Ordinary feedback as it is told in a channel, compared with what a person has read and found right.
//!
//! `slack/goldens-ordinary/messages.txt` holds the words of each message, one behind the other. With `UPDATE_GOLDENS=1` it is written anew, to be
//! read before it is committed. That whole texts keep all words and links is shown by the goldens of `kit/text` in mrkdwn.

use super::*;
use crate::kit::text::Text;
use crate::kit::text::tests::goldens::{holds, ordinary};

#[test]
fn ordinary_feedback_comes_out_as_reviewed() {
    let slack = slack(json!({"style": "event"}));
    let mut messages = String::new();
    for (name, source, is_html) in ordinary() {
        let text = if is_html { Text::from_html(&source) } else { Text::from_plain(&source) };
        let title: String = text.plain().lines().next().unwrap_or(&name).chars().take(60).collect();
        let (description, other) = if is_html { ("description_html", "description") } else { ("description", "description_html") };
        let post = feedback(json!({"title": title, description: source, other: null})).announcing(Action::ItemCreate);
        let said = message(&slack, &post);
        assert_eq!(inert(&json!({"text": said.text, "blocks": said.blocks})), Ok(()), "{name}");
        let words = json!(said.blocks).pointer("/1/text/text").and_then(Value::as_str).unwrap_or_default().to_owned();
        messages.push_str(&format!("===== {name}\n{}\n\n{words}\n\n", said.text));
    }
    assert!(holds("slack/goldens-ordinary/messages.txt", &messages));
}
