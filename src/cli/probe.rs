//! Asks `receiver.public_url` from the outside, and tells apart what stands between Sleekplan and the listener.
//!
//! Nothing it sends can become an event: it GETs, which is no webhook, and to learn whether the key arrives it POSTs a body that is
//! longer than the receiver takes, which is refused unread.

use std::error::Error;
use std::io::ErrorKind;
use std::time::Duration;

use http::header::{LOCATION, SERVER};
use http::{HeaderMap, Method, StatusCode};
use serde_json::Value;
use url::Url;

use super::client::use_ring;
use crate::config::ReceiverConfig;

/// How long each request of the probe may take.
const TIMEOUT: Duration = Duration::from_secs(15);
/// Bytes of an answer that are looked at.
const LOOK_BYTES_MAX: usize = 64 << 10;

/// What the probe found.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Finding {
    /// The webhook is reached and the key arrives.
    #[error("reached, and the key arrives")]
    Reached,
    /// The webhook is reached; a proxy keeps the proof that the key arrives from being made.
    #[error("reached; whether the key arrives could not be proved")]
    KeyUnproved,
    /// The name is not known.
    #[error("DNS: the name {host} does not resolve; expected a public name of this machine or its proxy")]
    Dns {
        /// The name.
        host: String,
    },
    /// Nobody listens, or a firewall drops.
    #[error("connection: nothing answers at {host}; expected a proxy or this daemon, reachable from the internet")]
    Unreached {
        /// The name and port.
        host: String,
    },
    /// The certificate is not accepted.
    #[error("TLS: {reason}; expected a certificate that Sleekplan accepts")]
    Tls {
        /// What the TLS library said.
        reason: String,
    },
    /// Webhooks do not follow redirects.
    #[error("redirect: it answers {status} and points to {to}; expected the final address in receiver.public_url")]
    Redirect {
        /// The status.
        status: u16,
        /// Scheme, host and path it points to.
        to: String,
    },
    /// A bot protection answers in the receiver's place.
    #[error("bot challenge: a protection answers {status}; expected an exception for {path}")]
    BotChallenge {
        /// The status.
        status: u16,
        /// The webhook's path.
        path: String,
    },
    /// The daemon is there, and the webhook's path is not.
    #[error("wrong path: this daemon answers at the health address and not at {path}; expected the proxy to forward the path unchanged")]
    WrongPath {
        /// The webhook's path.
        path: String,
    },
    /// The daemon is reached, and the key is not.
    #[error("key stripped: the webhook is reached without its key; expected the proxy to keep the query string")]
    KeyStripped,
    /// Somebody else answers.
    #[error("not this daemon: something else answers {status}; expected sleeksync behind receiver.public_url")]
    NotThisDaemon {
        /// The status.
        status: u16,
    },
}

impl Finding {
    /// Whether webhooks arrive, as far as can be told.
    pub const fn is_good(&self) -> bool {
        matches!(self, Finding::Reached | Finding::KeyUnproved)
    }
}

/// What one request of the probe brought back.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Seen {
    /// An answer of the receiver's own: its errors have a code, a message and a hint.
    Ours(StatusCode),
    /// A health answer.
    Healthy,
    /// Anybody else's.
    Foreign(Finding),
    /// None.
    Nothing(Finding),
}

/// Probes the public address.
pub(super) async fn probe(receiver: &ReceiverConfig, base: &Url) -> Finding {
    let webhook = super::url::webhook_url(receiver);
    let key = receiver.keys.first().map(|key| key.expose().to_owned());
    let reached = look(Method::GET, &webhook, key.as_deref(), Load::Nothing, &receiver.path).await;
    match reached {
        Seen::Ours(StatusCode::NOT_FOUND) => Finding::WrongPath { path: receiver.path.clone() },
        Seen::Ours(_) if key.is_none() => Finding::Reached,
        Seen::Ours(_) => {
            let load = Load::Spaces(receiver.body_bytes_max + 1);
            let mut too_long = look(Method::POST, &webhook, key.as_deref(), load, &receiver.path).await;
            if matches!(too_long, Seen::Nothing(_)) {
                // Refused while it was still being sent, which breaks the connection. Then the length is only announced.
                let load = Load::Announced(receiver.body_bytes_max + 1);
                too_long = look(Method::POST, &webhook, key.as_deref(), load, &receiver.path).await;
            }
            key_arrives(&too_long)
        }
        seen => {
            let health = format!("{}/health/live", base.as_str().trim_end_matches('/'));
            let healthy = look(Method::GET, &health, None, Load::Nothing, &receiver.path).await;
            not_the_webhook(seen, &healthy, &receiver.path)
        }
    }
}

/// What a request of the probe carries.
#[derive(Clone, Copy)]
enum Load {
    Nothing,
    /// So many spaces: no JSON, should anybody keep it.
    Spaces(usize),
    /// A length, and then nothing.
    Announced(usize),
}

impl Load {
    fn put(self, request: reqwest::RequestBuilder) -> reqwest::RequestBuilder {
        match self {
            Load::Nothing => request,
            Load::Spaces(count) => request.body(vec![b' '; count]),
            Load::Announced(count) => {
                let never = futures_util::stream::pending::<Result<Vec<u8>, std::io::Error>>();
                request.header(http::header::CONTENT_LENGTH, count).body(reqwest::Body::wrap_stream(never))
            }
        }
    }
}

/// Why an answer is not the webhook's.
fn not_the_webhook(seen: Seen, health: &Seen, path: &str) -> Finding {
    match seen {
        Seen::Foreign(Finding::NotThisDaemon { .. }) if *health == Seen::Healthy => Finding::WrongPath { path: path.to_owned() },
        Seen::Foreign(finding) | Seen::Nothing(finding) => finding,
        Seen::Healthy | Seen::Ours(_) => Finding::WrongPath { path: path.to_owned() },
    }
}

/// Whether the key arrives, by the answer to a body that is too long: the receiver asks for the key before it minds the length.
fn key_arrives(too_long: &Seen) -> Finding {
    match too_long {
        Seen::Ours(StatusCode::PAYLOAD_TOO_LARGE) => Finding::Reached,
        Seen::Ours(StatusCode::UNAUTHORIZED) => Finding::KeyStripped,
        _ => Finding::KeyUnproved,
    }
}

/// Sends one request without following redirects.
async fn look(method: Method, url: &str, key: Option<&str>, load: Load, path: &str) -> Seen {
    use_ring();
    let nothing = |finding| Seen::Nothing(finding);
    let Ok(mut url) = Url::parse(url) else { return nothing(Finding::Unreached { host: url.to_owned() }) };
    let host = url.host_str().unwrap_or_default().to_owned();
    let port = url.port_or_known_default().unwrap_or(443);
    if tokio::net::lookup_host((host.trim_matches(['[', ']']), port)).await.map_or(true, |mut found| found.next().is_none()) {
        return nothing(Finding::Dns { host });
    }
    let is_https = url.scheme() == "https";
    if let Some(key) = key {
        url.query_pairs_mut().append_pair("key", key);
    }
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).timeout(TIMEOUT).build();
    let Ok(client) = client else { return nothing(Finding::Tls { reason: "there are no trusted roots".to_owned() }) };
    match load.put(client.request(method, url)).send().await {
        Ok(response) => {
            let (status, headers) = (response.status(), response.headers().clone());
            let body = start_of(response).await;
            read(status, &headers, &body, path)
        }
        Err(error) => match tls_reason(&error).filter(|_| is_https) {
            Some(reason) => nothing(Finding::Tls { reason }),
            None => nothing(Finding::Unreached { host: format!("{host}:{port}") }),
        },
    }
}

async fn start_of(mut response: reqwest::Response) -> Vec<u8> {
    let mut bytes = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > LOOK_BYTES_MAX {
            break;
        }
    }
    bytes
}

/// Whose answer this is.
fn read(status: StatusCode, headers: &HeaderMap, body: &[u8], path: &str) -> Seen {
    let json: Option<Value> = serde_json::from_slice(body).ok();
    let error = json.as_ref().and_then(|json| json.get("error"));
    if error.is_some_and(|error| ["code", "message", "hint"].iter().all(|key| error.get(key).is_some_and(Value::is_string))) {
        return Seen::Ours(status);
    }
    if status == StatusCode::OK && json.as_ref().and_then(|json| json.get("status")).is_some_and(Value::is_string) {
        return Seen::Healthy;
    }
    if status.is_redirection() {
        let to = headers.get(LOCATION).and_then(|to| to.to_str().ok()).unwrap_or("nowhere");
        // The key stands in the query.
        let to = to.split('?').next().unwrap_or_default().to_owned();
        return Seen::Foreign(Finding::Redirect { status: status.as_u16(), to });
    }
    if is_challenge(status, headers, body) {
        return Seen::Foreign(Finding::BotChallenge { status: status.as_u16(), path: path.to_owned() });
    }
    Seen::Foreign(Finding::NotThisDaemon { status: status.as_u16() })
}

/// Cloudflare names its challenges (docs page "Detecting a challenge page response"); others are known by what they show.
fn is_challenge(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> bool {
    const WORDS: &[&str] = &["just a moment", "challenge", "captcha", "are you human", "verify you are", "bot detection", "access denied"];
    if headers.contains_key("cf-mitigated") {
        return true;
    }
    let text = String::from_utf8_lossy(body).to_lowercase();
    let is_guarded = headers.get(SERVER).and_then(|server| server.to_str().ok()).is_some_and(|server| server.contains("sucuri"));
    let refuses = matches!(status.as_u16(), 401 | 403 | 405 | 429 | 503);
    refuses && (is_guarded || (text.contains("<html") && WORDS.iter().any(|word| text.contains(word))))
}

/// What the TLS library did not like, where that is why there is no answer.
fn tls_reason(error: &(dyn Error + 'static)) -> Option<String> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(tls) = error.downcast_ref::<rustls::Error>() {
            return Some(tls.to_string());
        }
        let io = error.downcast_ref::<std::io::Error>();
        if io.is_some_and(|io| matches!(io.kind(), ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted)) {
            return Some("the handshake was cut off".to_owned());
        }
        // An `io::Error` hides what it wraps from `source`.
        let wrapped = io.and_then(std::io::Error::get_ref);
        next = wrapped.map(|wrapped| wrapped as &(dyn Error + 'static)).or_else(|| error.source());
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: &str = r#"{"error":{"code":"unauthorized","message":"no key","hint":"add it"}}"#;
    const PATH: &str = "/webhooks/sleekplan";

    fn answer(status: u16, headers: &[(&'static str, &str)], body: &str) -> Seen {
        let headers = headers.iter().map(|(name, value)| (http::HeaderName::from_static(name), value.parse().unwrap())).collect();
        read(StatusCode::from_u16(status).unwrap(), &headers, body.as_bytes(), PATH)
    }

    #[test]
    fn answers_are_told_apart_by_whose_they_are() {
        let foreign = |finding| Seen::Foreign(finding);
        let challenge = |status| foreign(Finding::BotChallenge { status, path: PATH.to_owned() });
        assert_eq!(answer(401, &[], OURS), Seen::Ours(StatusCode::UNAUTHORIZED));
        assert_eq!(answer(200, &[], r#"{"status":"ok"}"#), Seen::Healthy);
        assert_eq!(answer(404, &[], "<html>nginx</html>"), foreign(Finding::NotThisDaemon { status: 404 }));
        assert_eq!(answer(200, &[], "hello"), foreign(Finding::NotThisDaemon { status: 200 }));
        assert_eq!(answer(403, &[("cf-mitigated", "challenge")], ""), challenge(403));
        assert_eq!(answer(503, &[], "<html><title>Just a moment...</title></html>"), challenge(503));
        assert_eq!(
            answer(301, &[("location", "https://www.example.com/hook?key=hunter2")], ""),
            foreign(Finding::Redirect { status: 301, to: "https://www.example.com/hook".to_owned() })
        );
    }

    #[test]
    fn whether_the_key_arrives_follows_from_the_answer_to_a_body_that_is_too_long() {
        assert_eq!(key_arrives(&Seen::Ours(StatusCode::PAYLOAD_TOO_LARGE)), Finding::Reached);
        assert_eq!(key_arrives(&Seen::Ours(StatusCode::UNAUTHORIZED)), Finding::KeyStripped);
        assert_eq!(key_arrives(&answer(413, &[], "<html>nginx</html>")), Finding::KeyUnproved);
    }

    #[test]
    fn a_healthy_daemon_without_its_webhook_is_a_wrong_path() {
        let not_found = || Seen::Foreign(Finding::NotThisDaemon { status: 404 });
        assert_eq!(not_the_webhook(not_found(), &Seen::Healthy, PATH), Finding::WrongPath { path: PATH.to_owned() });
        assert_eq!(not_the_webhook(not_found(), &not_found(), PATH), Finding::NotThisDaemon { status: 404 });
    }
}
