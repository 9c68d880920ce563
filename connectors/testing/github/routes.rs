//! The routes of the fake GitHub.

use std::collections::BTreeMap;

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{FakeGitHub, Gone, Issue};

/// Rows of a page, as GitHub caps them.
const PER_PAGE_MAX: usize = 100;

/// A request as it arrived.
#[derive(Clone, Debug)]
pub struct Asked {
    /// GET, POST, …
    pub method: Method,
    /// Scheme and host, for the addresses in answers.
    pub origin: String,
    /// The path.
    pub path: String,
    /// The query.
    pub query: BTreeMap<String, String>,
    /// The body.
    pub body: Value,
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Told {
    /// The status.
    pub status: StatusCode,
    /// Headers besides the content type.
    pub headers: Vec<(&'static str, String)>,
    /// The content type.
    pub content_type: &'static str,
    /// The body.
    pub body: String,
}

impl Told {
    pub(super) fn new(status: StatusCode, body: &Value) -> Self {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        Self { status, headers: Vec::new(), content_type: "application/json; charset=utf-8", body }
    }

    pub(super) fn html(status: StatusCode, title: &str) -> Self {
        let body = format!("<!DOCTYPE html><html><head><title>{title}</title></head></html>");
        Self { status, headers: Vec::new(), content_type: "text/html", body }
    }

    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    fn message(status: StatusCode, message: &str) -> Self {
        Self::new(status, &json!({"message": message, "documentation_url": "https://docs.github.com/rest"}))
    }
}

impl FakeGitHub {
    pub(super) fn act(&mut self, asked: &Asked) -> Told {
        let parts: Vec<&str> = asked.path.trim_matches('/').split('/').collect();
        let text = |name: &str| asked.body.get(name).and_then(Value::as_str).map(str::to_owned);
        match (asked.method.as_str(), parts.as_slice()) {
            ("GET", ["repos", "acme", "widgets"]) => Told::new(
                StatusCode::OK,
                &json!({"full_name": "acme/widgets", "has_issues": true, "archived": false, "permissions": {"push": !self.drops_labels, "pull": true}}),
            ),
            ("POST", ["repos", "acme", "widgets", "issues"]) => self.create(asked),
            ("GET", ["repos", "acme", "widgets", "issues"]) => self.list(asked),
            ("PATCH" | "DELETE", ["repos", "acme", "widgets", "issues", "comments", id]) => self.change_comment(asked, id, text("body")),
            (_, ["repos", "acme", "widgets", "issues", number, rest @ ..]) => {
                let Some(number) = number.parse().ok().filter(|number| self.issues.contains_key(number)) else {
                    return Told::message(StatusCode::NOT_FOUND, "Not Found");
                };
                self.on_issue(asked, number, rest)
            }
            _ => Told::message(StatusCode::NOT_FOUND, "Not Found"),
        }
    }

    fn create(&mut self, asked: &Asked) -> Told {
        let text = |name: &str| asked.body.get(name).and_then(Value::as_str).map(str::to_owned);
        let Some(title) = text("title") else {
            return Told::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                &json!({"message": "Validation Failed", "errors": [{"resource": "Issue", "field": "title", "code": "missing_field"}]}),
            );
        };
        self.creates += 1;
        let number = self.issues.len() as u64 + 1;
        let labels = if self.drops_labels { Vec::new() } else { names(asked.body.get("labels")) };
        let issue = Issue { labels, hidden: self.hide_new, ..Issue::open(number, title, text("body").unwrap_or_default()) };
        let shown = show(&issue, &asked.origin);
        self.issues.insert(number, issue);
        Told::new(StatusCode::CREATED, &shown)
    }

    fn list(&mut self, asked: &Asked) -> Told {
        let mut shown = Vec::new();
        for issue in self.issues.values_mut().filter(|issue| issue.gone.is_none()) {
            if issue.hidden > 0 {
                issue.hidden -= 1;
            } else {
                shown.push(show(issue, &asked.origin));
            }
        }
        page(asked, &shown)
    }

    fn on_issue(&mut self, asked: &Asked, number: u64, rest: &[&str]) -> Told {
        let (hide_new, drops_labels) = (self.hide_new, self.drops_labels);
        let next_comment = &mut self.next_comment;
        let Some(issue) = self.issues.get_mut(&number) else { return Told::message(StatusCode::NOT_FOUND, "Not Found") };
        match issue.gone {
            Some(Gone::Deleted) => return Told::message(StatusCode::GONE, "This issue was deleted"),
            Some(Gone::Moved(to)) => {
                let tail = rest.iter().map(|part| format!("/{part}")).collect::<String>();
                let url = format!("{}/repos/acme/widgets/issues/{to}{tail}", asked.origin);
                return Told::message(StatusCode::MOVED_PERMANENTLY, "Moved Permanently").with("location", url);
            }
            None => {}
        }
        match (asked.method.as_str(), rest) {
            ("GET", []) => Told::new(StatusCode::OK, &show(issue, &asked.origin)),
            ("PATCH", []) => {
                change(issue, &asked.body);
                Told::new(StatusCode::OK, &show(issue, &asked.origin))
            }
            ("POST", ["labels"]) => {
                let added = if drops_labels { Vec::new() } else { names(asked.body.get("labels")) };
                for label in added {
                    if !issue.labels.contains(&label) {
                        issue.labels.push(label);
                    }
                }
                Told::new(StatusCode::OK, &labels(issue))
            }
            ("DELETE", ["labels", label]) => {
                let label = percent_encoding::percent_decode_str(label).decode_utf8_lossy().into_owned();
                let before = issue.labels.len();
                issue.labels.retain(|known| *known != label);
                if issue.labels.len() == before {
                    Told::message(StatusCode::NOT_FOUND, "Label does not exist")
                } else {
                    Told::new(StatusCode::OK, &labels(issue))
                }
            }
            ("POST", ["comments"]) if issue.locked => {
                Told::message(StatusCode::FORBIDDEN, "Unable to create comment because issue is locked.")
            }
            ("POST", ["comments"]) => {
                *next_comment += 1;
                let body = asked.body.get("body").and_then(Value::as_str).unwrap_or_default();
                issue.comments.insert(*next_comment, body.to_owned());
                issue.hidden = issue.hidden.max(hide_new);
                Told::new(StatusCode::CREATED, &comment(number, *next_comment, body, &asked.origin))
            }
            ("GET", ["comments"]) => {
                let shown: Vec<Value> = issue.comments.iter().map(|(id, body)| comment(number, *id, body, &asked.origin)).collect();
                page(asked, &shown)
            }
            _ => Told::message(StatusCode::NOT_FOUND, "Not Found"),
        }
    }

    fn change_comment(&mut self, asked: &Asked, id: &str, body: Option<String>) -> Told {
        let id = id.parse().unwrap_or(0);
        let Some(issue) = self.issues.values_mut().find(|issue| issue.comments.contains_key(&id)) else {
            return Told::message(StatusCode::NOT_FOUND, "Not Found");
        };
        if asked.method == Method::DELETE {
            issue.comments.remove(&id);
            return Told::new(StatusCode::NO_CONTENT, &Value::Null);
        }
        let body = body.unwrap_or_default();
        let shown = comment(issue.number, id, &body, &asked.origin);
        issue.comments.insert(id, body);
        Told::new(StatusCode::OK, &shown)
    }
}

fn change(issue: &mut Issue, body: &Value) {
    let text = |name: &str| body.get(name).and_then(Value::as_str).map(str::to_owned);
    if let Some(title) = text("title") {
        issue.title = title;
    }
    if let Some(text) = text("body") {
        issue.body = text;
    }
    if let Some(state) = text("state") {
        // "Ignored unless `state` is changed" ("Update an issue").
        if issue.state != state {
            issue.state = state;
            issue.state_reason = text("state_reason");
        }
    }
}

fn names(labels: Option<&Value>) -> Vec<String> {
    labels.and_then(Value::as_array).into_iter().flatten().filter_map(|label| label.as_str().map(str::to_owned)).collect()
}

fn labels(issue: &Issue) -> Value {
    issue.labels.iter().map(|name| json!({"name": name})).collect()
}

fn show(issue: &Issue, origin: &str) -> Value {
    json!({
        "id": 1_000_000 + issue.number, "number": issue.number, "title": issue.title, "body": issue.body, "state": issue.state,
        "state_reason": issue.state_reason, "labels": labels(issue), "locked": issue.locked,
        "html_url": format!("https://github.com/acme/widgets/issues/{}", issue.number), "repository_url": format!("{origin}/repos/acme/widgets"),
    })
}

fn comment(issue: u64, id: u64, body: &str, origin: &str) -> Value {
    json!({
        "id": id, "body": body, "html_url": format!("https://github.com/acme/widgets/issues/{issue}#issuecomment-{id}"),
        "issue_url": format!("{origin}/repos/acme/widgets/issues/{issue}"),
    })
}

/// One page, with the Link header to the next.
fn page(asked: &Asked, rows: &[Value]) -> Told {
    let number = |name: &str| asked.query.get(name).and_then(|text| text.parse::<usize>().ok());
    let size = number("per_page").unwrap_or(30).clamp(1, PER_PAGE_MAX);
    let at = number("page").unwrap_or(1).max(1);
    let shown: Vec<&Value> = rows.iter().skip((at - 1) * size).take(size).collect();
    let told = Told::new(StatusCode::OK, &json!(shown));
    if rows.len() <= at * size {
        return told;
    }
    let query: Vec<String> =
        asked.query.iter().filter(|(name, _)| *name != "page").map(|(name, value)| format!("{name}={value}")).collect();
    told.with("link", format!("<{}{}?{}&page={}>; rel=\"next\"", asked.origin, asked.path, query.join("&"), at + 1))
}
