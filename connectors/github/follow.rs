//! Looking things up: by listing, every page, oldest first; and proving the credentials.

use std::time::Duration;

use http::Method;
use http::header::LINK;
use serde_json::Value;
use url::Url;

use super::GitHub;
use super::api::{Issue, comment_ref, unexpected};
use super::plan::ISSUE;
use crate::contract::{Cause, Cx, Failure, RemoteKey, RemoteRef, Request, Time};
use crate::kit::http::{Answer, Stage};

/// Pages of a look-up at most: a listing that is longer is a failure, never "not there".
const PAGES_MAX: usize = 100;
/// Clocks disagree, and the listing is by the time of the last change.
const BEFORE: Duration = Duration::from_secs(3600);

impl GitHub {
    pub(super) async fn look_up(&self, key: &RemoteKey, first_intent_at: Time, cx: &Cx<'_>) -> Result<Option<RemoteRef>, Failure> {
        let since = seconds(first_intent_at.minus(BEFORE));
        let is_comment = key.key().split('-').nth(2) == Some("comment");
        let request = if is_comment {
            let parent = cx.links.parent_id(&ISSUE).ok_or_else(|| unexpected("the comment's feedback has no issue"))?;
            let Issue { owner, name, number } = self.issue(parent);
            let path = ["repos", owner, name, "issues", number, "comments"];
            self.build(Method::GET, &path, &[("since", &since), ("per_page", "100")], None)
        } else {
            let query = [("state", "all"), ("since", since.as_str()), ("sort", "created"), ("direction", "asc"), ("per_page", "100")];
            self.build(Method::GET, &["repos", &self.ready.owner, &self.ready.name, "issues"], &query, None)
        };
        self.pages(key, is_comment, request, cx).await
    }

    /// Reads every page; several hits: the oldest is adopted, the others are reported.
    async fn pages(&self, key: &RemoteKey, is_comment: bool, mut request: Request, cx: &Cx<'_>) -> Result<Option<RemoteRef>, Failure> {
        let marker = key.marker();
        let mut found: Option<RemoteRef> = None;
        for _ in 0..PAGES_MAX {
            let answer = self.call(cx, request.clone(), Stage::Find).await?;
            let rows = answer.json.as_array().ok_or_else(|| unexpected("the listing is no list"))?;
            // Pull requests are issues too; ours never are.
            for row in rows.iter().filter(|row| row.get("pull_request").is_none()) {
                let body = row.get("body").and_then(Value::as_str).unwrap_or_default();
                // The marker is the last line: quoted in the middle of a text it proves nothing.
                if !body.trim_end().ends_with(&marker) {
                    continue;
                }
                let hit = if is_comment { comment_ref(row)? } else { self.issue_ref(row)? };
                match &found {
                    None => found = Some(hit),
                    Some(first) => {
                        tracing::warn!(adopted = first.id, twin = hit.id, "two objects carry the same key; the older one is followed")
                    }
                }
            }
            match next_page(&answer) {
                None => return Ok(found),
                Some(url) if url.origin() == request.url.origin() => request.url = url,
                Some(_) => return Err(unexpected("the next page is on another host")),
            }
        }
        Err(Failure::Unknown { retry_after: None, source: Cause::new(format!("the listing has more than {PAGES_MAX} pages")) })
    }

    /// The repository is there, has issues, and lets the token write what the settings want.
    pub(super) async fn prove(&self, cx: &Cx<'_>) -> Result<(), Failure> {
        let path = ["repos", self.ready.owner.as_str(), self.ready.name.as_str()];
        let answer = self.call(cx, self.build(Method::GET, &path, &[], None), Stage::Check).await?;
        let flag = |path: &str| answer.json.pointer(path).and_then(Value::as_bool);
        let unusable = |text: &str| Err(Failure::Unauthorized { source: Cause::new(text) });
        if flag("/has_issues") == Some(false) {
            return unusable("issues are disabled in this repository (its settings, Features)");
        }
        if flag("/archived") == Some(true) {
            return unusable("the repository is archived: it takes no issues");
        }
        let may_label = ["/permissions/push", "/permissions/triage", "/permissions/maintain", "/permissions/admin"]
            .iter()
            .any(|path| flag(path) == Some(true));
        let wants_labels =
            !self.settings.labels.is_empty() || !self.settings.type_labels.is_empty() || !self.settings.status_labels.is_empty();
        if wants_labels && answer.json.get("permissions").is_some() && !may_label {
            return Err(Failure::Rejected {
                source: Cause::new(
                    "the token may not set labels here: GitHub drops them without an error; give it Issues: write as a member with triage or push access",
                ),
            });
        }
        Ok(())
    }
}

/// RFC 3339 without fractions, as GitHub writes its times.
fn seconds(at: Time) -> String {
    Time::from_ms(at.as_ms().div_euclid(1000) * 1000).to_string()
}

/// The `rel="next"` of a Link header ("Using pagination in the REST API").
fn next_page(answer: &Answer) -> Option<Url> {
    let links = answer.headers.get(LINK)?.to_str().ok()?;
    let next = links.split(',').find(|link| link.contains("rel=\"next\""))?;
    let (_, rest) = next.split_once('<')?;
    Url::parse(rest.split_once('>')?.0).ok()
}
