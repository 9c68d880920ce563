//! The suite's view of `slack`: the fake Slack, everything the connector can do in each style, and Slack's eyes for what it would act upon.

use std::sync::Arc;

use serde_json::{Value, json};

use super::Slack;
use crate::contract::{Action, RemoteKey, Request, Transport};
use crate::kit::text::Format;
use crate::kit::text::tests::actions::actions;
use crate::testing::block_kit;
use crate::testing::conformance::{Fake, Fixture, Hostile, Rule, conformance};
use crate::testing::slack::{CHANNEL, Wire};
use crate::testing::{Case, comment, entry, feedback, subscriber, user};

conformance!(Slack, SlackFixture(Kind::Live));

/// The same with a message for each event.
mod event {
    use super::*;

    conformance!(Slack, SlackFixture(Kind::Event));
}

/// The same through an incoming webhook.
mod webhook {
    use super::*;

    conformance!(Slack, SlackFixture(Kind::Webhook));
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Live,
    Event,
    Webhook,
}

struct SlackFixture(Kind);

/// A running fake of Slack.
struct Workspace {
    wire: Arc<Wire>,
    kind: Kind,
}

impl Fixture for SlackFixture {
    type Connector = Slack;
    type Fake = Workspace;

    async fn start(&self) -> Workspace {
        Workspace { wire: Arc::new(Wire::new()), kind: self.0 }
    }

    fn cases(&self) -> Vec<Case> {
        let post = feedback(json!({})).announcing(Action::ItemCreate);
        let said = comment(&post, json!({})).announcing(Action::CommentCreate);
        let news = entry(json!({})).announcing(Action::ChangelogCreate);
        let edited = post.clone().changed(json!({"title": "Export to CSV and PDF"})).announcing(Action::ItemUpdate);
        let mut cases = vec![
            Case::new("create", post.clone()),
            Case::after("edit", [post.clone()], edited),
            Case::after("delete", [post.clone()], post.clone().deleted().announcing(Action::ItemDelete)),
            Case::new("comment alone", said.clone()),
            Case::new("publish", news.clone()),
            Case::new("user", user(json!({})).announcing(Action::UserCreate)),
            Case::new("subscriber", subscriber(json!({})).announcing(Action::ChangelogSubscribe)),
        ];
        if self.0 == Kind::Live {
            let changed = said.clone().changed(json!({"comment": "+2", "comment_html": "<p>+2</p>"})).announcing(Action::CommentUpdate);
            cases.extend([
                Case::after("comment", [post.clone()], said.clone()),
                Case::after("edit comment", [post.clone(), said.clone()], changed),
                Case::after("delete comment", [post, said.clone()], said.deleted().announcing(Action::CommentDelete)),
                Case::after("withdraw", [news.clone()], news.changed(json!({"draft": true})).announcing(Action::ChangelogUpdate)),
            ]);
        }
        cases
    }

    fn goldens(&self) -> &'static str {
        match self.0 {
            Kind::Live => "slack/goldens/live",
            Kind::Event => "slack/goldens/event",
            Kind::Webhook => "slack/goldens/webhook",
        }
    }

    fn exempt(&self) -> &'static [(Rule, &'static str)] {
        match self.0 {
            Kind::Webhook => &[
                (Rule::OneObject, "an incoming webhook has no ids: a message whose answer was lost is sent again, as a chat's default is"),
                (Rule::LostAnswer, "nothing can be looked up there"),
                (Rule::LookUp, "nothing can be looked up there"),
                (Rule::Statuses, "an empty message is refused with a 400 where the webhook works: tests.rs has its table"),
            ],
            Kind::Live | Kind::Event => &[],
        }
    }

    fn largest(&self) -> usize {
        // What is written is the same: one fixture proves the size.
        if self.0 == Kind::Live { 1024 * 1024 } else { 4096 }
    }
}

impl Fake for Workspace {
    fn settings(&self, canary: &str) -> Value {
        let place = match self.kind {
            Kind::Webhook => json!({"webhook_url": format!("https://hooks.slack.com/services/T1/B1/{canary}")}),
            Kind::Live => json!({"token": canary, "channel": CHANNEL}),
            Kind::Event => json!({"token": canary, "channel": "#feedback", "style": "event"}),
        };
        let mut settings = json!({"include_author": true, "private_comments": true});
        if let (Value::Object(settings), Value::Object(place)) = (&mut settings, place) {
            settings.extend(place);
        }
        settings
    }

    fn objects(&self, key: &RemoteKey) -> usize {
        let signed = json!(key.signed());
        self.wire.fake().messages.iter().filter(|message| message.metadata.pointer("/event_payload/k") == Some(&signed)).count()
    }

    fn check(&self, _: &Hostile, sent: &[Request]) -> Result<(), String> {
        sent.iter().filter(|request| !request.body.is_empty()).try_for_each(|request| {
            let body: Value = serde_json::from_slice(&request.body).map_err(|error| error.to_string())?;
            if body.get("blocks").is_some() { inert(&body) } else { Ok(()) }
        })
    }

    fn crowd(&self) {
        self.wire.fake().others_write(201);
    }

    fn transport(&self) -> Arc<dyn Transport> {
        self.wire.clone()
    }
}

/// Nothing that Slack acts upon, and nothing longer than Slack takes.
pub(super) fn inert(message: &Value) -> Result<(), String> {
    block_kit::check(message)?;
    let mut found = Vec::new();
    for (kind, text) in block_kit::texts(message) {
        let format = if kind == "mrkdwn" { Format::Slack } else { Format::Plain };
        found.extend(actions(&text, format));
    }
    if found.is_empty() { Ok(()) } else { Err(found.join("; ").chars().take(500).collect()) }
}
