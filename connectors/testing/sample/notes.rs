//! The service of [`super::Sample`]: notes with a title and a text, in memory.

use std::sync::{Arc, Mutex};

use http::Method;
use http::header::AUTHORIZATION;
use pulldown_cmark::{Event, Parser, Tag};
use serde_json::{Value, json};

use super::{Sample, TEXT_CHARS_MAX, TITLE_CHARS_MAX};
use crate::contract::{RemoteKey, Request};
use crate::testing::conformance::{Fake, Fixture, Hostile};
use crate::testing::service::{Reply, Service, Shelf, locked};
use crate::testing::{Case, feedback};

/// How many notes a page holds.
const PAGE: usize = 2;

#[derive(Clone, Debug)]
struct Note {
    title: String,
    text: String,
}

/// A running service of notes.
pub struct Notes {
    service: Service,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    notes: Shelf<Note>,
    token: Mutex<String>,
}

impl Notes {
    /// An empty one.
    pub async fn start() -> Self {
        let state = Arc::new(State::default());
        let kept = Arc::clone(&state);
        let service = Service::start(move |request| kept.answer(request)).await;
        Self { service, state }
    }
}

impl State {
    fn answer(&self, request: &Request) -> Reply {
        let expected = format!("Bearer {}", locked(&self.token));
        if request.headers.get(AUTHORIZATION).is_none_or(|value| value.as_bytes() != expected.as_bytes()) {
            return Reply::json(401, &json!({"message": "who are you?"}));
        }
        let segments: Vec<&str> = request.url.path_segments().map(Iterator::collect).unwrap_or_default();
        match (&request.method, segments.as_slice()) {
            (&Method::GET, ["me"]) => Reply::json(200, &json!({"name": "sleeksync"})),
            (&Method::GET, ["notes"]) => self.page(request),
            (&Method::POST, ["notes"]) => match note(request) {
                Some(note) => Reply::json(201, &json!({"id": self.notes.put(note)})),
                None => Reply::json(422, &json!({"message": "a note is too long"})),
            },
            (&Method::PUT, ["notes", id]) => match (note(request), id.parse().ok()) {
                (None, _) => Reply::json(422, &json!({"message": "a note is too long"})),
                (Some(note), Some(id)) if self.notes.change(id, |kept| kept.clone_from(&note)).is_some() => {
                    Reply::json(200, &json!({"id": id}))
                }
                _ => Reply::json(404, &json!({"message": "no such note"})),
            },
            (&Method::DELETE, ["notes", id]) => match id.parse().ok().and_then(|id| self.notes.remove(id)) {
                Some(_) => Reply::empty(204),
                None => Reply::json(404, &json!({"message": "no such note"})),
            },
            _ => Reply::json(404, &json!({"message": "no such path"})),
        }
    }

    /// Newest first, as most services list.
    fn page(&self, request: &Request) -> Reply {
        let page = request.url.query_pairs().find(|(name, _)| name == "page").and_then(|(_, page)| page.parse().ok()).unwrap_or(1_usize);
        let mut notes = self.notes.list();
        notes.reverse();
        let mut rest = notes.into_iter().skip(page.saturating_sub(1) * PAGE);
        let notes: Vec<Value> = rest.by_ref().take(PAGE).map(|(id, note)| json!({"id": id, "text": note.text})).collect();
        Reply::json(200, &json!({"notes": notes, "next": rest.next().is_some()}))
    }
}

fn note(request: &Request) -> Option<Note> {
    let value: Value = serde_json::from_slice(&request.body).ok()?;
    let text = |name: &str, max: usize| value.get(name)?.as_str().filter(|text| text.chars().count() <= max).map(str::to_owned);
    Some(Note { title: text("title", TITLE_CHARS_MAX)?, text: text("text", TEXT_CHARS_MAX)? })
}

impl Fake for Notes {
    fn settings(&self, canary: &str) -> Value {
        canary.clone_into(&mut locked(&self.state.token));
        json!({"url": self.service.url(), "token": canary})
    }

    fn objects(&self, key: &RemoteKey) -> usize {
        self.state.notes.all().iter().filter(|note| note.text.ends_with(&key.marker())).count()
    }

    fn check(&self, text: &Hostile, _: &[Request]) -> Result<(), String> {
        self.state.notes.all().iter().try_for_each(|note| inert(note).map_err(|what| format!("{what} ({})", text.name)))
    }

    fn crowd(&self) {
        for number in 0..2 * PAGE + 1 {
            self.state.notes.put(Note { title: format!("somebody's note {number}"), text: "words".to_owned() });
        }
    }
}

/// This service shows titles as plain lines and texts as Markdown with raw HTML in it.
fn inert(note: &Note) -> Result<(), String> {
    if note.title.chars().any(char::is_control) {
        return Err("a title has a line break or a control character in it".to_owned());
    }
    let words = note.text.rsplit_once("<!-- ").map_or(note.text.as_str(), |(words, _)| words);
    for event in Parser::new(words) {
        match event {
            Event::Html(html) | Event::InlineHtml(html) => return Err(format!("raw HTML reaches the service: {html}")),
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) if !dest_url.starts_with("http") => {
                return Err(format!("a link leads to {dest_url}"));
            }
            _ => {}
        }
    }
    Ok(())
}

/// The sample's own fixture, and the pattern for others.
pub struct SampleFixture;

impl Fixture for SampleFixture {
    type Connector = Sample;
    type Fake = Notes;

    async fn start(&self) -> Notes {
        Notes::start().await
    }

    fn cases(&self) -> Vec<Case> {
        cases()
    }

    fn goldens(&self) -> &'static str {
        "testing/sample/goldens"
    }
}

/// Everything the sample can do.
pub(super) fn cases() -> Vec<Case> {
    let post = feedback(json!({}));
    vec![
        Case::new("create", post.clone()),
        Case::after("update", [post.clone()], post.clone().changed(json!({"title": "Export to CSV and PDF"}))),
        Case::after("remove", [post.clone()], post.deleted()),
    ]
}
