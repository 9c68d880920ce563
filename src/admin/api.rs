//! The admin API over HTTP: the desk's answers as JSON.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, Bytes};
use futures_util::{Stream, StreamExt};
use http::{HeaderMap, Method, StatusCode, header};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use warp::Filter;

use super::dry_run::Subject;
use super::guard::{Guard, Refusal};
use super::{Decision, Desk, DeskError, Query, ReplayRequest};
use crate::receiver::Readiness;

/// The longest body of an admin request.
const BODY_BYTES_MAX: usize = 2 << 20;

/// How long a question waits for the index to be opened.
const OPEN_PATIENCE: Duration = Duration::from_secs(3);

/// An answer: status and JSON.
type Answer = (StatusCode, Value);

/// Everything one request brings.
struct Asked {
    method: Method,
    path: String,
    query: String,
    body: Bytes,
}

/// All routes of the admin listener. A body may take `body_timeout`.
pub fn routes(
    desk: Arc<Desk>,
    guard: Guard,
    body_timeout: Duration,
) -> impl Filter<Extract = (http::Response<Bytes>,), Error = Infallible> + Clone + Send + Sync + 'static {
    let guard = Arc::new(guard);
    let query = warp::query::raw().or(warp::any().map(String::new)).unify();
    warp::method()
        .and(warp::path::full())
        .and(query)
        .and(warp::header::headers_cloned())
        .and(warp::body::stream())
        .then(move |method, path: warp::path::FullPath, query, headers: HeaderMap, body| {
            let (desk, guard) = (Arc::clone(&desk), Arc::clone(&guard));
            async move {
                let (status, answer) = match guard.check(&method, &headers) {
                    Err(_) if path.as_str().starts_with("/health/") => health(&desk, path.as_str()),
                    Err(refusal) => refused(refusal),
                    Ok(()) => match tokio::time::timeout(body_timeout, read(body)).await {
                        Ok(Some(body)) => handle(&desk, Asked { method, path: path.as_str().to_owned(), query, body }).await,
                        Ok(None) => error(StatusCode::PAYLOAD_TOO_LARGE, "too_large", "the body is too large", "send less than 2 MiB"),
                        Err(_) => error(StatusCode::REQUEST_TIMEOUT, "too_slow", "the body took too long", ""),
                    },
                };
                respond(status, &answer)
            }
        })
        .recover(|_| async {
            Ok::<_, Infallible>(respond(
                StatusCode::BAD_REQUEST,
                &json!({"error": {"code": "bad_request", "message": "the request cannot be read", "hint": ""}}),
            ))
        })
        .unify()
}

/// Answers one request as it would be answered over HTTP: for the command line, when no daemon runs.
pub async fn ask(desk: &Arc<Desk>, method: Method, path: &str, query: &str, body: Bytes) -> (StatusCode, Value) {
    handle(desk, Asked { method, path: path.to_owned(), query: query.to_owned(), body }).await
}

async fn read(body: impl Stream<Item = Result<impl Buf, warp::Error>>) -> Option<Bytes> {
    let mut whole = Vec::new();
    let mut body = std::pin::pin!(body);
    while let Some(chunk) = body.next().await {
        let mut chunk = chunk.ok()?;
        if whole.len() + chunk.remaining() > BODY_BYTES_MAX {
            return None;
        }
        whole.extend_from_slice(&chunk.copy_to_bytes(chunk.remaining()));
    }
    Some(whole.into())
}

fn respond(status: StatusCode, answer: &Value) -> http::Response<Bytes> {
    let mut response = http::Response::new(Bytes::from(answer.to_string()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, header::HeaderValue::from_static("nosniff"));
    response
}

async fn handle(desk: &Arc<Desk>, asked: Asked) -> Answer {
    let segments: Vec<&str> = asked.path.trim_matches('/').split('/').collect();
    let get = matches!(asked.method, Method::GET | Method::HEAD);
    let result = match segments.as_slice() {
        ["health", _] if get => return health(desk, &asked.path),
        ["api", "v1", rest @ ..] => {
            opened(desk).await;
            if get { answer(desk, rest, &asked) } else { change(desk, rest, &asked).await }
        }
        _ => None,
    };
    match result {
        Some(Ok(value)) => (StatusCode::OK, value),
        Some(Err(failed)) => failure(&failed),
        None => error(
            StatusCode::NOT_FOUND,
            "not_found",
            "there is nothing here",
            "the API is at /api/v1/: status, events, queue, parked, links",
        ),
    }
}

/// Who asks right after the start waits a moment rather than be told to ask again.
async fn opened(desk: &Desk) {
    // Where it takes longer, the answer says so.
    let _ = tokio::time::timeout(OPEN_PATIENCE, desk.opened()).await;
}

type Outcome = Option<Result<Value, DeskError>>;

fn answer(desk: &Desk, path: &[&str], asked: &Asked) -> Outcome {
    let listed = |list: fn(&Desk, &Query) -> Result<Value, DeskError>| Some(query(&asked.query).and_then(|query| list(desk, &query)));
    match path {
        ["status"] => Some(desk.status().map(to_json)),
        ["events"] => listed(|desk, query| desk.events(query).map(|page| json!({"events": page.rows, "next": page.next}))),
        ["queue"] => listed(|desk, query| desk.queue(query).map(|page| json!({"queue": page.rows, "next": page.next}))),
        ["parked"] => listed(|desk, query| desk.parked(query).map(|page| json!({"parked": page.rows, "next": page.next}))),
        ["links"] => listed(|desk, query| desk.links(query).map(|page| json!({"links": page.rows, "next": page.next}))),
        ["events", seq] => Some(number("event", seq).and_then(|seq| desk.event(seq))),
        _ => None,
    }
}

async fn change(desk: &Arc<Desk>, path: &[&str], asked: &Asked) -> Outcome {
    let decision = match path {
        ["parked", id, "retry"] => number("parked delivery", id).map(|id| Decision::Retry { id }),
        ["parked", id, "drop"] => number("parked delivery", id).and_then(|id| Ok(Decision::Drop { id, why: body::<Why>(asked)?.why })),
        ["connectors", name, "pause"] => Ok(Decision::Pause { connector: (*name).to_owned() }),
        ["connectors", name, "resume"] => body::<All>(asked).map(|body| Decision::Resume { connector: (*name).to_owned(), all: body.all }),
        ["decisions"] => body(asked),
        ["connectors", name, "check"] => return Some(checked(desk, name).await),
        ["replay"] => {
            let request: Result<ReplayRequest, _> = body(asked);
            return Some(match request {
                Ok(request) => desk.replay(&request).await.map(to_json),
                Err(error) => Err(error),
            });
        }
        ["plan"] => return Some(body::<PlanRequest>(asked).and_then(|request| plan(desk, request))),
        _ => return None,
    };
    Some(match decision {
        Ok(decision) => desk.decide(&decision).await.map(to_json),
        Err(error) => Err(error),
    })
}

async fn checked(desk: &Desk, name: &str) -> Result<Value, DeskError> {
    Ok(match desk.check(name).await? {
        Ok(()) => json!({"ok": true, "class": null, "message": null}),
        Err(failure) => json!({"ok": false, "class": failure.class(), "message": failure.cause().to_string()}),
    })
}

/// What to plan for; exactly one of the first three.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PlanRequest {
    body: Option<String>,
    event: Option<u64>,
    item: Option<String>,
    connector: Option<String>,
}

fn plan(desk: &Desk, request: PlanRequest) -> Result<Value, DeskError> {
    let subject = match (request.body, request.event, request.item) {
        (Some(body), None, None) => Subject::Body(body.into_bytes()),
        (None, Some(seq), None) => Subject::Event(seq),
        (None, None, Some(item)) => Subject::Item(desk.item(&item)?),
        _ => return Err(DeskError::Invalid { message: "give exactly one of `body`, `event` and `item`".to_owned() }),
    };
    desk.plans(&subject, request.connector.as_deref())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Why {
    why: String,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct All {
    #[serde(default)]
    all: bool,
}

/// Reads a body; an empty one is `{}`.
fn body<T: serde::de::DeserializeOwned>(asked: &Asked) -> Result<T, DeskError> {
    let bytes: &[u8] = if asked.body.is_empty() || &asked.body[..] == b"null" { b"{}" } else { &asked.body };
    serde_json::from_slice(bytes).map_err(|error| DeskError::Invalid { message: format!("the body does not fit: {error}") })
}

fn query(text: &str) -> Result<Query, DeskError> {
    let mut query = Query::default();
    for (name, value) in url::form_urlencoded::parse(text.as_bytes()) {
        match name.as_ref() {
            "connector" => query.connector = Some(value.into_owned()),
            "item" => query.item = Some(value.into_owned()),
            "limit" => query.limit = Some(usize::try_from(parameter("limit", &value)?).unwrap_or(usize::MAX)),
            "before" => query.before = Some(parameter("before", &value)?),
            other => {
                let message = format!("`{other}` is no parameter; known are connector, item, limit, before");
                return Err(DeskError::Invalid { message });
            }
        }
    }
    Ok(query)
}

fn parameter(name: &str, text: &str) -> Result<u64, DeskError> {
    text.parse().map_err(|_| DeskError::Invalid { message: format!("`{name}` is `{text}`; expected a whole number, 0 or more") })
}

fn number(what: &'static str, text: &str) -> Result<u64, DeskError> {
    text.parse().map_err(|_| DeskError::Unknown { what, name: text.to_owned() })
}

fn to_json<T: Serialize>(value: T) -> Value {
    // Plain data: writing it as JSON cannot fail.
    serde_json::to_value(value).unwrap_or_default()
}

fn health(desk: &Desk, path: &str) -> Answer {
    match path {
        "/health/live" => (StatusCode::OK, json!({"status": "ok"})),
        "/health/ready" => {
            let readiness = desk.readiness();
            let status = if readiness == Readiness::Ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
            (status, json!({"status": readiness.as_str()}))
        }
        _ => error(StatusCode::NOT_FOUND, "not_found", "there is nothing here", "/health/live or /health/ready"),
    }
}

fn refused(refusal: Refusal) -> Answer {
    match refusal {
        Refusal::Token => error(
            StatusCode::UNAUTHORIZED,
            "unauthorized",
            "the token is missing or wrong",
            "send `Authorization: Bearer TOKEN` with the token of [admin]",
        ),
        Refusal::Host => error(StatusCode::FORBIDDEN, "host", "it does not answer to this host name", "add the name to admin.hosts"),
        Refusal::Origin => error(
            StatusCode::FORBIDDEN,
            "origin",
            "another site's page may not ask",
            "use the command line, or the dashboard at its own address",
        ),
        Refusal::ContentType => {
            error(StatusCode::FORBIDDEN, "content_type", "a change must be sent as JSON", "send `Content-Type: application/json`")
        }
    }
}

fn failure(failed: &DeskError) -> Answer {
    let message = failed.to_string();
    match failed {
        DeskError::Unknown { .. } => error(StatusCode::NOT_FOUND, "not_found", &message, "the lists show what there is"),
        DeskError::Invalid { .. } | DeskError::Item(_) => error(StatusCode::BAD_REQUEST, "invalid", &message, ""),
        DeskError::Index(_) => {
            error(StatusCode::SERVICE_UNAVAILABLE, "index", &message, "it is being opened or rebuilt; try again in a moment")
        }
        DeskError::Read(_) | DeskError::Append(_) => error(StatusCode::SERVICE_UNAVAILABLE, "journal", &message, "see the log"),
    }
}

fn error(status: StatusCode, code: &str, message: &str, hint: &str) -> Answer {
    (status, json!({"error": {"code": code, "message": message, "hint": hint}}))
}
