//! A connector as it should be, for a service that exists only in tests: the shortest that fulfils every rule.
//!
//! It mirrors feedback posts as notes of a small HTTP service ([`Notes`]). A note carries our marker at its end, by which it is found
//! again when the answer to its creation was lost. No registry knows it.

mod broken;
mod notes;

use std::time::Duration;

use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::contract::{
    Capabilities, Cause, Change, Connector, Cx, Effect, Failure, Hash, ItemKind, Links, Mistakes, Mode, Part, Plan, PlanError, Preview,
    Reason, RemoteKey, RemoteRef, Repeat, Request, Scope, Secret, SettingsError, Step, StepName, Time,
};
use crate::kit::http::{Base, Stage, authorize, call, credential, json_request, unrefined};
use crate::kit::template::{Output, Template};
use crate::kit::text::{Dialect, Format, line};
use crate::kit::view::{body, view};

pub use broken::{Breach, Broken, BrokenFixture};
pub use notes::{Notes, SampleFixture};

/// The longest title a note may have, in characters.
pub(super) const TITLE_CHARS_MAX: usize = 100;
/// The longest text of a note, our marker included, in characters.
pub(super) const TEXT_CHARS_MAX: usize = 10_000;
/// What is left for a stranger's words beside the marker.
const WORDS_CHARS_MAX: usize = TEXT_CHARS_MAX - 200;
/// The most pages a look-up reads. One more is no "nothing", but a failure.
const PAGES_MAX: u64 = 1_000;
/// The note itself; the only part.
const NOTE: Part = Part::new("note");

/// Its settings.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    url: String,
    token: Secret,
    #[serde(default)]
    allow_insecure: bool,
    #[serde(default = "default_title")]
    title: String,
}

fn default_title() -> String {
    "{{ feedback.title }}".to_owned()
}

/// One step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case", deny_unknown_fields)]
pub enum Op {
    /// Makes a note.
    Create {
        /// One line.
        title: String,
        /// Markdown, with our marker at its end.
        text: String,
    },
    /// Changes a note.
    Update {
        /// Which one.
        id: String,
        /// One line.
        title: String,
        /// Markdown, with our marker at its end.
        text: String,
    },
    /// Removes a note.
    Remove {
        /// Which one.
        id: String,
    },
}

/// The connector.
pub struct Sample {
    base: Base,
    token: Secret,
    title: Template,
}

impl Sample {
    fn request(&self, op: &Op) -> (Request, Stage) {
        let (mut request, stage) = match op {
            Op::Create { title, text } => {
                let note = json!({"title": title, "text": text});
                (json_request(Method::POST, self.base.join(&["notes"]), Some(&note)), Stage::Create)
            }
            Op::Update { id, title, text } => {
                let note = json!({"title": title, "text": text});
                (json_request(Method::PUT, self.base.join(&["notes", id]), Some(&note)), Stage::Update)
            }
            Op::Remove { id } => (json_request::<Value>(Method::DELETE, self.base.join(&["notes", id]), None), Stage::Delete),
        };
        authorize(&mut request, "Bearer", &self.token);
        (request, stage)
    }

    fn get(&self, url: url::Url) -> Request {
        let mut request = json_request::<Value>(Method::GET, url, None);
        authorize(&mut request, "Bearer", &self.token);
        request
    }
}

impl Connector for Sample {
    const KIND: &'static str = "sample";
    const CAPABILITIES: Capabilities = Capabilities {
        items: &[ItemKind::Feedback],
        mode: Mode::Latest,
        batch_max: 1,
        rate_per_minute: 0,
        settle: &[Duration::ZERO],
        max_creates_per_hour: 0,
        events_required: false,
        single_product: false,
        takes_history: false,
    };
    type Settings = Settings;
    type Op = Op;

    fn new(settings: Settings) -> Result<Self, Vec<SettingsError>> {
        let mut mistakes = Mistakes::default();
        mistakes.note(credential("token", &settings.token));
        let base = mistakes.note(Base::parse("url", &settings.url, settings.allow_insecure));
        let title = mistakes.note(Template::new("title", &settings.title, Output::Text));
        mistakes.or(base.zip(title).map(|(base, title)| Self { base, token: settings.token, title }))
    }

    fn scope(&self) -> Scope {
        Scope(format!("sample:{}", self.base.as_str()))
    }

    fn plan(&self, change: &Change<'_>, links: &Links) -> Result<Plan<Op>, PlanError> {
        let known = links.id(&NOTE);
        if change.item.deleted {
            return Ok(match known {
                Some(id) => Plan::Run(vec![removed(id)]),
                None => Plan::Skip(Reason::new("it was deleted before it was ever sent")),
            });
        }
        let title = line(&self.title.render(&view(change, links, Dialect::Plain))?, TITLE_CHARS_MAX);
        let (words, _) = body(change.item).cut(Format::Markdown(Dialect::Plain), WORDS_CHARS_MAX);
        // The newline before the marker ends whatever block the words leave open.
        let text = format!("{words}\n\n{}", change.key.marker());
        let content = Hash::of_json(&(change.item.fields.text("title"), &words));
        let (name, repeat, op) = match known {
            None => (StepName::new("create note"), Repeat::Keyed(change.key.clone()), Op::Create { title, text }),
            Some(id) => (StepName::new("update note"), Repeat::Idempotent, Op::Update { id: id.to_owned(), title, text }),
        };
        let rendering = Hash::of_json(&op);
        Ok(Plan::Run(vec![Step { name, part: NOTE, effect: Effect::Link { content, rendering }, repeat, op }]))
    }

    fn preview(&self, op: &Op, _: &Links) -> Vec<Preview> {
        vec![self.request(op).0.preview()]
    }

    async fn apply(&self, op: &Op, cx: &Cx<'_>) -> Result<Option<RemoteRef>, Failure> {
        let (request, stage) = self.request(op);
        let answer = call(cx, request, stage, unrefined).await?;
        Ok(match op {
            Op::Create { .. } => Some(RemoteRef { id: answer.text("/id")?, url: None }),
            Op::Update { id, .. } => Some(RemoteRef { id: id.clone(), url: None }),
            Op::Remove { .. } => None,
        })
    }

    async fn find(&self, key: &RemoteKey, _: Time, cx: &Cx<'_>) -> Result<Option<RemoteRef>, Failure> {
        let marker = key.marker();
        let mut found = None;
        for page in 1..=PAGES_MAX {
            let url = self.base.join_query(&["notes"], &[("page", &page.to_string())]);
            let answer = call(cx, self.get(url), Stage::Find, unrefined).await?;
            for note in answer.list("/notes")? {
                // Only the marker that we wrote stands at the very end.
                if note.get("text").and_then(Value::as_str).is_some_and(|text| text.ends_with(&marker)) {
                    // The list begins with the newest: the oldest is the last that is seen.
                    found = note.get("id").map(|id| RemoteRef { id: id.to_string(), url: None });
                }
            }
            match answer.json.get("next") {
                Some(Value::Bool(true)) => {}
                Some(Value::Bool(false)) => return Ok(found),
                _ => return Err(incomplete("a page that does not say whether it is the last")),
            }
        }
        Err(incomplete("more pages than are read"))
    }

    async fn check(&self, cx: &Cx<'_>) -> Result<(), Failure> {
        call(cx, self.get(self.base.join(&["me"])), Stage::Check, unrefined).await.map(|_| ())
    }
}

fn removed(id: &str) -> Step<Op> {
    let name = StepName::new("remove note");
    Step { name, part: NOTE, effect: Effect::Unlink, repeat: Repeat::Idempotent, op: Op::Remove { id: id.to_owned() } }
}

fn incomplete(what: &str) -> Failure {
    Failure::Unknown { retry_after: None, source: Cause::new(format!("the list of notes is not complete: {what}")) }
}

#[cfg(test)]
mod tests;
