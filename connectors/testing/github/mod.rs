//! A fake GitHub: issues, labels and comments in memory, and the ways in which the real one fails.
//!
//! It answers as the REST API does where the connector looks (docs.github.com, "REST API endpoints for issues"), and commits before it loses
//! an answer: what counts in the end is what its objects say.

mod record;
mod routes;
mod server;

use std::collections::BTreeMap;

use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::wire::{self, Answers};
use crate::contract::{Cause, Request, Response, TransportError, Unsent};

pub use routes::{Asked, Told};
pub use server::serve;

/// Talks to a fake GitHub.
pub type Wire = wire::Wire<FakeGitHub>;

/// What becomes of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// It was acted upon, and the connection is dropped.
    LoseAnswer,
    /// It was acted upon, and a 502 with an HTML page is answered.
    BadGateway,
    /// Nothing was done: too many requests, come again in a second.
    Limited,
    /// Nothing was done: a secondary limit that names no time.
    SecondaryLimit,
    /// Nothing was done: an HTML page with status 200.
    HtmlPage,
    /// Nothing was done: the token is refused.
    Unauthorized,
    /// Nothing was done: what was sent does not suit it.
    Invalid,
}

/// One issue.
#[derive(Clone, Debug, Serialize)]
pub struct Issue {
    /// Its number.
    pub number: u64,
    /// Its title.
    pub title: String,
    /// Its body.
    pub body: String,
    /// open or closed.
    pub state: String,
    /// Why it is closed.
    pub state_reason: Option<String>,
    /// Names of its labels.
    pub labels: Vec<String>,
    /// Its comments, by id.
    pub comments: BTreeMap<u64, String>,
    /// It was deleted (410), or moved to another number (301).
    pub gone: Option<Gone>,
    /// So many listings do not show it yet.
    pub hidden: u32,
    /// No comments are taken.
    pub locked: bool,
}

impl Issue {
    fn open(number: u64, title: String, body: String) -> Self {
        Self {
            number,
            title,
            body,
            state: "open".to_owned(),
            state_reason: None,
            labels: Vec::new(),
            comments: BTreeMap::new(),
            gone: None,
            hidden: 0,
            locked: false,
        }
    }
}

/// Where an issue went.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gone {
    /// Deleted.
    Deleted,
    /// Transferred; its new number.
    Moved(u64),
}

/// The repository `acme/widgets` and what is planned for its answers.
#[derive(Debug, Default)]
pub struct FakeGitHub {
    /// All issues, by number.
    pub issues: BTreeMap<u64, Issue>,
    /// Requests that make something.
    pub creates: u64,
    /// All requests.
    pub requests: u64,
    /// Answers lost after the work was done.
    pub lost: u64,
    /// What becomes of the next answers.
    pub faults: Vec<Fault>,
    /// Every so many writes lose their answer.
    pub lose_every: Option<u64>,
    /// So many listings do not show a new object.
    pub hide_new: u32,
    /// Labels cannot be set.
    pub drops_labels: bool,
    writes: u64,
    next_comment: u64,
}

impl FakeGitHub {
    /// An empty repository.
    pub fn new() -> Self {
        Self::default()
    }

    /// Answers a request, after acting upon it as the next fault says.
    pub fn answer(&mut self, asked: &Asked) -> Option<Told> {
        self.requests += 1;
        let fault = if self.faults.is_empty() { self.regular_fault(asked) } else { Some(self.faults.remove(0)) };
        let limit = |status, message: &str| Told::new(status, &json!({"message": message}));
        match fault {
            Some(Fault::Limited) => Some(limit(StatusCode::TOO_MANY_REQUESTS, "API rate limit exceeded").with("retry-after", "1")),
            Some(Fault::SecondaryLimit) => Some(limit(StatusCode::FORBIDDEN, "You have exceeded a secondary rate limit.")),
            Some(Fault::Unauthorized) => Some(limit(StatusCode::UNAUTHORIZED, "Bad credentials")),
            Some(Fault::Invalid) => Some(limit(StatusCode::UNPROCESSABLE_ENTITY, "Validation Failed")),
            Some(Fault::HtmlPage) => Some(Told::html(StatusCode::OK, "Sign in")),
            Some(Fault::BadGateway) => {
                self.lost += 1;
                self.act(asked);
                Some(Told::html(StatusCode::BAD_GATEWAY, "Unicorn!"))
            }
            Some(Fault::LoseAnswer) => {
                self.lost += 1;
                self.act(asked);
                None
            }
            None => Some(self.act(asked)),
        }
    }

    fn regular_fault(&mut self, asked: &Asked) -> Option<Fault> {
        if asked.method == http::Method::GET {
            return None;
        }
        self.writes += 1;
        let every = self.lose_every.filter(|every| *every > 0)?;
        self.writes.is_multiple_of(every).then_some(if (self.writes / every).is_multiple_of(2) {
            Fault::LoseAnswer
        } else {
            Fault::BadGateway
        })
    }

    /// Other people post so many issues.
    pub fn others_post(&mut self, count: u64) {
        for _ in 0..count {
            let number = self.issues.len() as u64 + 1;
            let body = "They say that <!-- is how a comment begins.".to_owned();
            self.issues.insert(number, Issue::open(number, format!("Somebody's issue {number}"), body));
        }
    }

    /// Other people write so many comments on an issue.
    pub fn others_comment(&mut self, number: u64, count: u64) {
        let Some(issue) = self.issues.get_mut(&number) else { return };
        for _ in 0..count {
            self.next_comment += 1;
            issue.comments.insert(self.next_comment, "me too".to_owned());
        }
    }

    /// What a person would count.
    pub fn report(&self) -> Value {
        json!({"issues": self.issues.values().collect::<Vec<_>>(), "creates": self.creates, "requests": self.requests, "lost": self.lost})
    }
}

impl Answers for FakeGitHub {
    fn respond(&mut self, request: &Request) -> Result<Response, TransportError> {
        let headers = request.headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
        record::note(request.method.as_str(), request.url.as_str(), headers, &request.body);
        let asked = Asked {
            method: request.method.clone(),
            origin: request.url.origin().ascii_serialization(),
            path: request.url.path().to_owned(),
            query: request.url.query_pairs().into_owned().collect(),
            body: serde_json::from_slice(&request.body).unwrap_or_default(),
        };
        let lost = || TransportError { unsent: Unsent::Unknown, source: Cause::new("the connection broke") };
        let told = self.answer(&asked).ok_or_else(lost)?;
        let mut headers = HeaderMap::new();
        for (name, value) in told.headers.into_iter().chain([("content-type", told.content_type.to_owned())]) {
            if let Ok(value) = value.parse() {
                headers.insert(name, value);
            }
        }
        Ok(Response { status: told.status, headers, body: told.body.into() })
    }
}
