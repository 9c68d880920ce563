//! The requests, and what GitHub's answers mean.

use std::time::Duration;

use async_trait::async_trait;
use http::header::{ACCEPT, HeaderName, HeaderValue, LOCATION};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use url::Url;

use super::plan::{COMMENT, ISSUE, SHIPPED_AS};
use super::{GitHub, Op};
use crate::contract::{Cause, Cx, Failure, Limit, Links, RemoteRef, Request, Response, RetryAfter, Time, Transport, TransportError};
use crate::kit::http::{Answer, Base, Stage, authorize, json_request, retry_after, said};

/// The API version these requests are written for ("API Versions").
const API_VERSION: &str = "2022-11-28";
/// A secondary limit that names no time: wait for at least a minute ("Rate limits", exceeding the rate limit).
const SECONDARY_LIMIT: Duration = Duration::from_secs(60);

/// An issue: by its number in the configured repository, or `owner/name#number` after a transfer.
pub(super) struct Issue<'a> {
    pub owner: &'a str,
    pub name: &'a str,
    pub number: &'a str,
}

impl GitHub {
    /// Where the issue of this id is.
    pub(super) fn issue<'a>(&'a self, id: &'a str) -> Issue<'a> {
        let moved = id.split_once('#').and_then(|(repository, number)| Some((repository.split_once('/')?, number)));
        match moved {
            Some(((owner, name), number)) => Issue { owner, name, number },
            None => Issue { owner: &self.ready.owner, name: &self.ready.name, number: id },
        }
    }

    pub(super) fn build(&self, method: Method, segments: &[&str], query: &[(&str, &str)], body: Option<&Value>) -> Request {
        let url = if query.is_empty() { self.ready.base.join(segments) } else { self.ready.base.join_query(segments, query) };
        let mut request = json_request(method, url, body);
        request.headers.insert(ACCEPT, HeaderValue::from_static("application/vnd.github+json"));
        request.headers.insert(HeaderName::from_static("x-github-api-version"), HeaderValue::from_static(API_VERSION));
        authorize(&mut request, "Bearer", &self.settings.token);
        request
    }

    /// The request of a step and what it is meant to do; `None` where nothing is sent.
    pub(super) fn request(&self, op: &Op, links: &Links) -> Option<(Request, Stage)> {
        let own = links.id(&ISSUE).or_else(|| links.parent_id(&ISSUE)).unwrap_or("NUMBER");
        let Issue { owner, name, number } = self.issue(own);
        let comment = links.id(&COMMENT).unwrap_or("ID");
        let issue = ["repos", owner, name, "issues", number];
        let below = |part| ["repos", owner, name, "issues", number, part];
        let comment_path = ["repos", owner, name, "issues", "comments", comment];
        let closing = |closed: Option<&str>| match closed {
            Some(reason) => json!({"state": "closed", "state_reason": reason}),
            None => json!({"state": "open", "state_reason": "reopened"}),
        };
        let patch = |body: Value| (self.build(Method::PATCH, &issue, &[], Some(&body)), Stage::Update);
        Some(match op {
            Op::Noted { .. } => return None,
            Op::CreateIssue { title, body, labels } => {
                let path = ["repos", &self.ready.owner, &self.ready.name, "issues"];
                (self.build(Method::POST, &path, &[], Some(&json!({"title": title, "body": body, "labels": labels}))), Stage::Create)
            }
            Op::UpdateIssue { title, body } => patch(json!({"title": title, "body": body})),
            Op::SetState { closed } => patch(closing(closed.as_deref())),
            Op::Ship {} => patch(closing(Some(SHIPPED_AS))),
            Op::AddLabels { labels } => (self.build(Method::POST, &below("labels"), &[], Some(&json!({"labels": labels}))), Stage::Update),
            Op::RemoveLabel { label } => {
                (self.build(Method::DELETE, &["repos", owner, name, "issues", number, "labels", label], &[], None), Stage::Delete)
            }
            // A 404 here names the issue, not the repository: the engine checks which of them is gone.
            Op::CreateComment { body } => (self.build(Method::POST, &below("comments"), &[], Some(&json!({"body": body}))), Stage::Update),
            Op::UpdateComment { body } => (self.build(Method::PATCH, &comment_path, &[], Some(&json!({"body": body}))), Stage::Update),
            Op::DeleteComment {} => (self.build(Method::DELETE, &comment_path, &[], None), Stage::Delete),
        })
    }

    pub(super) async fn perform(&self, op: &Op, cx: &Cx<'_>) -> Result<Option<RemoteRef>, Failure> {
        let Some((request, stage)) = self.request(op, cx.links) else {
            return Ok(noted(op));
        };
        let answer = self.call(cx, request, stage).await?;
        match op {
            Op::CreateIssue { labels, .. } => {
                report_dropped(labels, &answer.json);
                self.issue_ref(&answer.json).map(Some)
            }
            Op::UpdateIssue { .. } => self.issue_ref(&answer.json).map(Some),
            Op::CreateComment { .. } | Op::UpdateComment { .. } => comment_ref(&answer.json).map(Some),
            Op::AddLabels { labels } => {
                report_dropped(labels, &json!({"labels": answer.json}));
                Ok(Some(RemoteRef { id: json!(labels).to_string(), url: None }))
            }
            Op::SetState { .. } | Op::Ship {} | Op::RemoveLabel { .. } | Op::DeleteComment {} | Op::Noted { .. } => Ok(None),
        }
    }

    /// The issue an answer shows.
    pub(super) fn issue_ref(&self, json: &Value) -> Result<RemoteRef, Failure> {
        let number = json.get("number").and_then(Value::as_u64).ok_or_else(|| unexpected("it names no issue number"))?;
        let url = json.get("html_url").and_then(Value::as_str).map(str::to_owned);
        let repository = json.get("repository_url").and_then(Value::as_str).and_then(|url| {
            let mut parts = url.rsplit('/');
            let name = parts.next()?;
            Some((parts.next()?.to_owned(), name.to_owned()))
        });
        let own =
            |(owner, name): &(String, String)| owner.eq_ignore_ascii_case(&self.ready.owner) && name.eq_ignore_ascii_case(&self.ready.name);
        let id = match repository.filter(|repository| !own(repository)) {
            Some((owner, name)) => format!("{owner}/{name}#{number}"),
            None => number.to_string(),
        };
        Ok(RemoteRef { id, url })
    }

    /// Sends once, and once more where a renamed repository or a transferred issue redirects to.
    pub(super) async fn call(&self, cx: &Cx<'_>, request: Request, stage: Stage) -> Result<Answer, Failure> {
        let transport = Following { inner: cx.transport, base: &self.ready.base };
        crate::kit::http::call(&Cx { transport: &transport, links: cx.links, now: cx.now }, request, stage, refine).await
    }
}

/// Follows a redirect by hand: same method, same host, once ("Best practices", follow redirects). One to another host is an answer like any
/// other, so credentials stay here.
struct Following<'a> {
    inner: &'a dyn Transport,
    base: &'a Base,
}

impl Following<'_> {
    fn target(&self, answer: &Response) -> Option<Url> {
        if !matches!(answer.status.as_u16(), 301 | 302 | 307 | 308) {
            return None;
        }
        let url = Url::parse(answer.headers.get(LOCATION)?.to_str().ok()?).ok()?;
        self.base.is_same_origin(&url).then_some(url)
    }
}

#[async_trait]
impl Transport for Following<'_> {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let answer = self.inner.send(request.clone()).await?;
        match self.target(&answer) {
            Some(url) => self.inner.send(Request { url, ..request }).await,
            None => Ok(answer),
        }
    }

    async fn fetch_untrusted(&self, url: &Url) -> Result<Response, TransportError> {
        self.inner.fetch_untrusted(url).await
    }
}

/// What a step without a request leaves: the labels that stand.
fn noted(op: &Op) -> Option<RemoteRef> {
    match op {
        Op::Noted { labels: Some(labels) } => Some(RemoteRef { id: json!(labels).to_string(), url: None }),
        _ => None,
    }
}

pub(super) fn comment_ref(json: &Value) -> Result<RemoteRef, Failure> {
    let id = json.get("id").and_then(Value::as_u64).ok_or_else(|| unexpected("it names no comment id"))?;
    Ok(RemoteRef { id: id.to_string(), url: json.get("html_url").and_then(Value::as_str).map(str::to_owned) })
}

/// A 2xx that is not what GitHub answers: who knows what happened.
pub(super) fn unexpected(what: &str) -> Failure {
    Failure::Unknown { retry_after: None, source: Cause::new(format!("the answer is not GitHub's: {what}")) }
}

/// Without push access labels are dropped without an error ("Create an issue").
fn report_dropped(wanted: &[String], json: &Value) {
    let set: Vec<&str> =
        json.get("labels").and_then(Value::as_array).into_iter().flatten().filter_map(|label| label.get("name")?.as_str()).collect();
    let dropped = wanted.iter().filter(|label| !set.iter().any(|set| set.eq_ignore_ascii_case(label))).count();
    if dropped > 0 {
        tracing::warn!(dropped, "GitHub dropped labels: the token may not set them");
    }
}

/// Limits, permissions and refusals in GitHub's words. Pure.
pub(super) fn refine(response: &Response) -> Option<Failure> {
    let json: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    let message = json.get("message").and_then(Value::as_str).unwrap_or_default();
    let lower = message.to_lowercase();
    let source = || said(response);
    match response.status {
        StatusCode::FORBIDDEN | StatusCode::TOO_MANY_REQUESTS => {
            let header = |name: &str| response.headers.get(name).and_then(|value| value.to_str().ok()?.trim().parse::<i64>().ok());
            let exhausted = header("x-ratelimit-remaining") == Some(0);
            let after = retry_after(&response.headers).or_else(|| {
                header("x-ratelimit-reset").filter(|_| exhausted).map(|reset| RetryAfter::At(Time::from_ms(reset.saturating_mul(1000))))
            });
            let limited = response.status == StatusCode::TOO_MANY_REQUESTS || after.is_some() || exhausted || lower.contains("rate limit");
            if limited {
                let retry_after = Some(after.unwrap_or(RetryAfter::In(SECONDARY_LIMIT)));
                return Some(Failure::Transient { retry_after, scope: Limit::Connector, source: source() });
            }
            if lower.contains("locked") {
                return Some(Failure::Rejected { source: source() });
            }
            Some(Failure::Unauthorized { source: source() })
        }
        StatusCode::UNPROCESSABLE_ENTITY => Some(Failure::Rejected { source: source() }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Headers<'a> = &'a [(&'a str, &'a str)];

    fn answer(status: u16, headers: Headers<'_>, message: &str) -> Response {
        let headers = headers.iter().map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap())).collect();
        Response { status: StatusCode::from_u16(status).unwrap(), headers, body: json!({"message": message}).to_string().into() }
    }

    #[test]
    fn limits_are_obeyed_to_the_second() {
        let wait = |seconds| Some(RetryAfter::In(Duration::from_secs(seconds)));
        let reset = Some(RetryAfter::At(Time::from_ms(1_772_539_260_000)));
        let exhausted = [("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1772539260")];
        let said = "You have exceeded a secondary rate limit.";
        let table: [(u16, Headers<'_>, &str, Option<RetryAfter>); 6] = [
            (403, &[("retry-after", "37")], said, wait(37)),
            (429, &[("retry-after", "1")], "", wait(1)),
            (403, &[exhausted[0], exhausted[1], ("retry-after", "37")], said, wait(37)),
            (403, &exhausted, "API rate limit exceeded for user ID 1.", reset),
            (403, &[("x-ratelimit-remaining", "9"), ("x-ratelimit-reset", "1772539260")], said, wait(60)),
            (429, &[], "", wait(60)),
        ];
        for (status, headers, message, right) in table {
            match refine(&answer(status, headers, message)) {
                Some(Failure::Transient { retry_after, scope: Limit::Connector, .. }) => assert_eq!(retry_after, right, "{headers:?}"),
                other => panic!("{status} {headers:?}: {other:?}"),
            }
        }
    }

    #[test]
    fn a_refusal_that_is_no_limit_is_about_the_token_or_a_locked_issue() {
        let class = |message| refine(&answer(403, &[("x-ratelimit-remaining", "9")], message)).unwrap().class();
        assert_eq!(class("Resource not accessible by personal access token"), "unauthorized");
        assert_eq!(class("Unable to create comment because issue is locked."), "rejected");
    }
}
