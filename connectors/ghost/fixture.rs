//! The suite's view of `ghost`: the fake Ghost, everything the connector can do, and a browser's eyes for what it would act upon.

use std::sync::Arc;

use serde_json::{Value, json};

use super::Ghost;
use crate::contract::{RemoteKey, Request, Transport};
use crate::kit::text::Format;
use crate::kit::text::tests::actions::actions;
use crate::testing::conformance::{Fake, Fixture, Hostile, conformance};
use crate::testing::ghost::Wire;
use crate::testing::{Case, entry};

conformance!(Ghost, GhostFixture);

struct GhostFixture;

/// A running fake of Ghost.
struct Site(Arc<Wire>);

impl Fixture for GhostFixture {
    type Connector = Ghost;
    type Fake = Site;

    async fn start(&self) -> Site {
        Site(Arc::new(Wire::new()))
    }

    fn cases(&self) -> Vec<Case> {
        let news = entry(json!({}));
        vec![
            Case::new("publish", news.clone()),
            Case::after("edit", [news.clone()], news.clone().changed(json!({"title": "CSV and PDF export are here"}))),
            Case::after("unpublish", [news.clone()], news.clone().changed(json!({"draft": true}))),
            Case::after(
                "publish again",
                [news.clone(), news.clone().changed(json!({"draft": true}))],
                news.clone().changed(json!({"title": "CSV export is back"})),
            ),
            Case::after("delete", [news.clone()], news.deleted()),
        ]
    }

    fn goldens(&self) -> &'static str {
        "ghost/goldens"
    }
}

impl Fake for Site {
    fn settings(&self, canary: &str) -> Value {
        // The readable half stands in every token as it is, so that the suite sees where tokens go.
        json!({
            "url": "https://blog.example.com", "admin_api_key": format!("{canary}:{canary}"), "tags": ["Changelog"],
            "newsletter": "default-newsletter",
        })
    }

    fn objects(&self, key: &RemoteKey) -> usize {
        let tag = super::plan::key_tag(key);
        self.0.fake().posts.values().filter(|post| post.tags.contains(&tag)).count()
    }

    fn check(&self, _: &Hostile, sent: &[Request]) -> Result<(), String> {
        sent.iter().filter(|request| !request.body.is_empty()).try_for_each(inert)
    }

    fn crowd(&self) {
        self.0.fake().others_post(101);
    }

    fn transport(&self) -> Arc<dyn Transport> {
        self.0.clone()
    }
}

/// Nothing that a reader's browser or Ghost acts upon, and nothing longer than Ghost takes.
fn inert(request: &Request) -> Result<(), String> {
    let json: Value = serde_json::from_slice(&request.body).map_err(|error| error.to_string())?;
    let text = |name: &str| json.pointer(&format!("/posts/0/{name}")).and_then(Value::as_str).unwrap_or_default();
    for (name, max) in [("title", 255), ("custom_excerpt", 300)] {
        if text(name).chars().count() > max {
            return Err(format!("{name} is longer than the {max} characters that Ghost takes"));
        }
    }
    let html = text("html");
    let mut words = String::new();
    for (number, piece) in html.split("\n<!--kg-card-begin: html-->\n").enumerate() {
        let (card, rest) =
            if number == 0 { ("", piece) } else { piece.split_once("\n<!--kg-card-end: html-->\n").ok_or("a card does not end")? };
        if rest.contains("<!--") || card.contains("<!--") {
            return Err("there is a comment that is no card of ours".to_owned());
        }
        words.push_str(card);
        words.push_str(rest);
    }
    let words = words
        .replace("<div class=\"kg-card kg-button-card kg-align-center\">", "")
        .replace("</div>", "")
        .replace(" class=\"kg-btn kg-btn-accent\"", "");
    let found = actions(&words, Format::Html);
    if found.is_empty() { Ok(()) } else { Err(found.join("; ").chars().take(500).collect()) }
}
