//! The one table from what happened to a request to a [`Failure`].

use http::header::LOCATION;
use http::{HeaderMap, StatusCode};
use serde_json::Value;

use super::limit::retry_after;
use super::said::said;
use crate::contract::{Cause, Failure, Limit, Response, TransportError, Unsent};

/// What a request was for: the same status means different things on the way in and on the way out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Makes an object.
    Create,
    /// Looks objects up.
    Find,
    /// Changes an object that is known to have been there.
    Update,
    /// Removes an object.
    Delete,
    /// Proves credentials and scope.
    Check,
}

/// What one endpoint knows better than the table: pure, and asked first about every answer, the good ones too.
///
/// `None` leaves it to the table. It is the place for errors inside a 200, for limits that come as a 403, for a 404 that names a missing
/// parent ([`Failure::Missing`]), and for "already exists" on a keyed create: say [`Failure::Unknown`] there, and delivery looks the
/// object up.
pub type Refine = fn(&Response) -> Option<Failure>;

/// The service's good answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status: 2xx, or 404 and 410 on [`Stage::Delete`], or what [`call_or`](super::call_or) was told to take.
    pub status: StatusCode,
    /// All headers.
    pub headers: HeaderMap,
    /// The body; null where there is none.
    pub json: Value,
}

/// What stands in the phrases of a 403 that is about the credentials and not about the object.
const CREDENTIAL_WORDS: [&str; 11] = [
    "token",
    "credential",
    "api key",
    "api_key",
    "apikey",
    "password",
    "permission",
    "authenticat",
    "authoriz",
    "authoris",
    "access denied",
];

/// No refinement: for endpoints that say everything with their status.
pub fn unrefined(_: &Response) -> Option<Failure> {
    None
}

/// Whether a request succeeded, and with which JSON; else how it failed.
///
/// | what happened | class |
/// |---|---|
/// | connect, DNS or TLS failed, 425, 429 | [`Failure::Transient`] |
/// | 408, every 5xx, any other transport error, a cut body, a 2xx that is not the service's JSON | [`Failure::Unknown`] |
/// | 401, a 403 that names the credentials, any 403 on check; 404 or 410 on create, find or check | [`Failure::Unauthorized`] |
/// | 404 or 410 on update; on delete it is success | [`Failure::Missing`] |
/// | a redirect | [`Failure::Rejected`], naming the Location |
/// | any other status | [`Failure::Rejected`] |
///
/// # Errors
/// As in the table, after `refine` was asked.
pub fn classify(outcome: Result<Response, TransportError>, stage: Stage, refine: Refine) -> Result<Answer, Failure> {
    Answer::read(accept(outcome, stage, refine)?, stage)
}

/// The same table without its line on JSON: for answers that are none.
///
/// # Errors
/// As in the table of [`classify`], after `refine` was asked.
pub fn accept(outcome: Result<Response, TransportError>, stage: Stage, refine: Refine) -> Result<Response, Failure> {
    let response = outcome.map_err(unanswered)?;
    if let Some(failure) = refine(&response) {
        return Err(failure);
    }
    if response.status.is_success() || (stage == Stage::Delete && is_gone(response.status)) {
        return Ok(response);
    }
    Err(refused(&response, stage))
}

impl Answer {
    /// Reads what [`accept`] let through.
    ///
    /// # Errors
    /// [`Failure::Unknown`] where a 2xx is not the service's JSON: a captive portal, a sign-in page, a notice of PHP before the JSON.
    pub fn read(response: Response, stage: Stage) -> Result<Self, Failure> {
        let Response { status, headers, body } = &response;
        let is_empty = body.iter().all(u8::is_ascii_whitespace);
        // An empty answer to a look-up does not say that nothing is there. Some services do answer a create with a 201 and a Location only;
        // who needs an id out of it asks `Answer::text`, which says that the outcome is unknown.
        let json = if is_empty && stage != Stage::Find {
            Value::Null
        } else if !status.is_success() {
            serde_json::from_slice(body).unwrap_or_default()
        } else {
            serde_json::from_slice(body).map_err(|_| unreadable(&response))?
        };
        Ok(Self { status: *status, headers: headers.clone(), json })
    }

    /// The id or text at `pointer` (RFC 6901), such as `/number`; numbers as they are written.
    ///
    /// # Errors
    /// [`Failure::Unknown`] where it is not there: then the answer is not the service's.
    pub fn text(&self, pointer: &str) -> Result<String, Failure> {
        match self.json.pointer(pointer) {
            Some(Value::String(text)) if !text.is_empty() => Ok(text.clone()),
            Some(Value::Number(number)) => Ok(number.to_string()),
            _ => Err(self.lacks(pointer)),
        }
    }

    /// The list at `pointer`.
    ///
    /// # Errors
    /// [`Failure::Unknown`] where there is none: an answer without the list does not say that nothing is there.
    pub fn list(&self, pointer: &str) -> Result<&[Value], Failure> {
        self.json.pointer(pointer).and_then(Value::as_array).map(Vec::as_slice).ok_or_else(|| self.lacks(pointer))
    }

    /// The failure of an answer that is not the service's: it lacks what stands at `pointer`.
    pub fn lacks(&self, pointer: &str) -> Failure {
        let source = Cause::new(format!("HTTP {}, JSON without {}", self.status.as_u16(), pointer.trim_start_matches('/')));
        Failure::Unknown { retry_after: None, source }
    }
}

fn unanswered(error: TransportError) -> Failure {
    let source = error.source;
    match error.unsent {
        Unsent::Certainly => Failure::Transient { retry_after: None, scope: Limit::Item, source },
        Unsent::Unknown => Failure::Unknown { retry_after: None, source },
    }
}

fn unreadable(response: &Response) -> Failure {
    let cause = said(response);
    let source = if response.body.is_empty() {
        Cause::new(format!("{cause}, without a body"))
    } else {
        Cause::new(format!("{cause}; not the service's JSON"))
    };
    Failure::Unknown { retry_after: retry_after(&response.headers), source }
}

fn refused(response: &Response, stage: Stage) -> Failure {
    let source = said(response);
    let status = response.status;
    match status.as_u16() {
        425 | 429 => Failure::Transient { retry_after: retry_after(&response.headers), scope: Limit::Connector, source },
        408 | 500.. => Failure::Unknown { retry_after: retry_after(&response.headers), source },
        401 => Failure::Unauthorized { source },
        403 if stage == Stage::Check || names_credentials(&source) => Failure::Unauthorized { source },
        404 | 410 if stage == Stage::Update => Failure::Missing { source },
        404 | 410 => Failure::Unauthorized { source },
        300..=399 => Failure::Rejected { source: redirected(response) },
        _ => Failure::Rejected { source },
    }
}

fn is_gone(status: StatusCode) -> bool {
    matches!(status, StatusCode::NOT_FOUND | StatusCode::GONE)
}

fn names_credentials(source: &Cause) -> bool {
    let said = source.as_str().to_ascii_lowercase();
    CREDENTIAL_WORDS.iter().any(|word| said.contains(word))
}

/// Names where a redirect leads, without a query: it may carry a session or an address.
fn redirected(response: &Response) -> Cause {
    let status = response.status.as_u16();
    let location = response.headers.get(LOCATION).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    Cause::new(match location {
        Some(location) => {
            let shown = location.split(['?', '#']).next().unwrap_or_default();
            // Whatever stands before an @ in the authority is a name or a password.
            let shown = match shown.split_once("://") {
                Some((scheme, rest)) => format!("{scheme}://{}", rest.rsplit_once('@').map_or(rest, |(_, host)| host)),
                None => shown.to_owned(),
            };
            format!("HTTP {status} redirects to {shown}; redirects are not followed, put the final address into the settings")
        }
        None => format!("HTTP {status} without a Location"),
    })
}

#[cfg(test)]
mod tests;
