//! The suite's view of `github`: the fake GitHub, everything the connector can do, and GitHub's own eyes for what it would act upon.

use std::sync::Arc;

use serde_json::{Value, json};

use super::GitHub;
use crate::contract::{RemoteKey, Request, Transport};
use crate::kit::text::tests::actions::{actions, github_text_actions};
use crate::kit::text::{Dialect, Format};
use crate::testing::conformance::{Fake, Fixture, Hostile, conformance};
use crate::testing::github::Wire;
use crate::testing::{Case, comment, entry, feedback};

conformance!(GitHub, GitHubFixture);

/// Rows a page of GitHub's listings holds at most; others make one more than that.
const PAGE: u64 = 100;

struct GitHubFixture;

/// A running fake of GitHub.
struct Repository(Arc<Wire>);

impl Fixture for GitHubFixture {
    type Connector = GitHub;
    type Fake = Repository;

    async fn start(&self) -> Repository {
        Repository(Arc::new(Wire::new()))
    }

    fn cases(&self) -> Vec<Case> {
        let post = feedback(json!({}));
        let said = comment(&post, json!({}));
        let done = json!({"status": "done", "type": "bug"});
        vec![
            Case::new("create", post.clone()),
            Case::new("create closed", feedback(done.clone())),
            Case::after("retitle", [post.clone()], post.clone().changed(json!({"title": "Export to CSV and PDF"}))),
            Case::after("finish", [post.clone()], post.clone().changed(done.clone())),
            Case::after("close otherwise", [feedback(done.clone())], feedback(done.clone()).deleted()),
            Case::after("reopen", [feedback(done)], post.clone().changed(json!({}))),
            Case::after("vote", [post.clone()], post.clone().changed(json!({"total_up": 10}))),
            Case::after("close", [post.clone()], post.clone().deleted()),
            Case::after("comment", [post.clone()], said.clone()),
            Case::after(
                "edit comment",
                [post.clone(), said.clone()],
                said.clone().changed(json!({"comment": "+2", "comment_html": "<p>+2</p>"})),
            ),
            Case::after("delete comment", [post.clone(), said.clone()], said.deleted()),
            Case::after("ship", [post], entry(json!({}))),
        ]
    }

    fn goldens(&self) -> &'static str {
        "github/goldens"
    }
}

impl Fake for Repository {
    fn settings(&self, canary: &str) -> Value {
        json!({
            "repository": "acme/widgets", "token": canary, "labels": ["sleekplan"], "type_labels": {"Integrations": "integration"},
            "status_labels": {"In progress": "in progress"}, "closed_statuses": {"done": "completed"}, "include_author": true,
            "close_on_ship": true,
        })
    }

    fn objects(&self, key: &RemoteKey) -> usize {
        let (marker, fake) = (key.marker(), self.0.fake());
        let bodies = fake.issues.values().flat_map(|issue| issue.comments.values().chain([&issue.body]));
        bodies.filter(|body| body.ends_with(&marker)).count()
    }

    fn check(&self, _: &Hostile, sent: &[Request]) -> Result<(), String> {
        sent.iter().filter(|request| !request.body.is_empty()).try_for_each(inert)
    }

    fn crowd(&self) {
        let mut fake = self.0.fake();
        let ours: Vec<u64> = fake.issues.keys().copied().collect();
        ours.iter().for_each(|number| fake.others_comment(*number, PAGE + 1));
        fake.others_post(PAGE + 1);
    }

    fn transport(&self) -> Arc<dyn Transport> {
        self.0.clone()
    }
}

/// Nothing that GitHub acts upon, and nothing longer than GitHub takes: title 256, body 65,536, label 50 characters.
fn inert(request: &Request) -> Result<(), String> {
    let json: Value = serde_json::from_slice(&request.body).map_err(|error| error.to_string())?;
    let text = |name: &str| json.get(name).and_then(Value::as_str);
    let fits = |what: &str, text: &str, max: usize| match text.chars().count() {
        length if length > max => Err(format!("a {what} has {length} characters, GitHub takes {max}")),
        _ => Ok(()),
    };
    let mut found = Vec::new();
    if let Some(title) = text("title") {
        fits("title", title, 256)?;
        github_text_actions(title, &mut found);
        found.extend(title.chars().find(|c| c.is_control()).map(|c| format!("{c:?} in a title")));
    }
    if let Some(body) = text("body") {
        fits("body", body, 65_536)?;
        // Our marker is the one comment there may be, and the last line.
        let (words, marker) = body.rsplit_once("\n\n<!-- ").ok_or("a body does not end with its marker")?;
        found.extend((!marker.ends_with(" -->") || marker.contains('\n')).then(|| format!("no marker: {marker}")));
        found.extend(actions(words, Format::Markdown(Dialect::GitHub)));
    }
    for label in json.get("labels").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
        fits("label", label, 50)?;
    }
    if found.is_empty() { Ok(()) } else { Err(found.join("; ").chars().take(500).collect()) }
}
