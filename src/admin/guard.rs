//! Who may ask: the admin listener answers to its own name only, takes changes as JSON only, and wants the token where there is one.
//!
//! Without these checks any web page open in a browser on this machine could press the buttons (DNS rebinding, cross-site requests).

use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};

use http::{HeaderMap, Method, header};
use sleeksync_connectors::contract::Secret;
use subtle::ConstantTimeEq;

/// What the listener insists on.
#[derive(Clone, Debug)]
pub struct Guard {
    /// Where it listens.
    pub listen: SocketAddr,
    /// Further names it answers to.
    pub hosts: Vec<String>,
    /// What a caller has to show.
    pub token: Token,
}

/// The token, where there is one. It can be replaced while the listener runs.
#[derive(Clone, Debug)]
pub struct Token(Arc<RwLock<Option<Secret>>>);

impl Token {
    /// This one.
    pub fn new(token: Option<Secret>) -> Self {
        Self(Arc::new(RwLock::new(token)))
    }

    /// Another one from now on.
    pub fn replace(&self, token: Option<Secret>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = token;
    }

    fn admits(&self, shown: Option<&str>) -> bool {
        let token = self.0.read().unwrap_or_else(PoisonError::into_inner);
        token.as_ref().is_none_or(|token| shown.is_some_and(|shown| is_bearer(shown, token)))
    }
}

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No or the wrong token.
    Token,
    /// It was sent to another name.
    Host,
    /// Another site's page sent it.
    Origin,
    /// A change that is not JSON.
    ContentType,
}

impl Guard {
    /// Whether a request may be answered.
    ///
    /// # Errors
    /// The first reason why not.
    pub fn check(&self, method: &Method, headers: &HeaderMap) -> Result<(), Refusal> {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        if !text(header::HOST).is_some_and(|host| self.answers_to(host)) {
            return Err(Refusal::Host);
        }
        let foreign = text(header::ORIGIN).is_some_and(|origin| !self.is_own_origin(origin));
        if foreign || text(header::HeaderName::from_static("sec-fetch-site")) == Some("cross-site") {
            return Err(Refusal::Origin);
        }
        if !self.token.admits(text(header::AUTHORIZATION)) {
            return Err(Refusal::Token);
        }
        let changes = !matches!(*method, Method::GET | Method::HEAD);
        let is_json = |kind: &str| kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"));
        if changes && !text(header::CONTENT_TYPE).is_some_and(is_json) {
            return Err(Refusal::ContentType);
        }
        Ok(())
    }

    fn is_own_origin(&self, origin: &str) -> bool {
        origin.split_once("://").is_some_and(|(_, host)| self.answers_to(host))
    }

    fn answers_to(&self, host: &str) -> bool {
        let name = without_port(host);
        let own = self.listen.ip().to_string();
        let is_own = name.trim_matches(['[', ']']) == own || (self.listen.ip().is_loopback() && name.eq_ignore_ascii_case("localhost"));
        is_own || self.hosts.iter().any(|known| known.eq_ignore_ascii_case(name) || known.eq_ignore_ascii_case(host))
    }
}

/// The name in a `Host`: an IPv6 address stands in brackets, so its colons are no port.
fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') && (name.ends_with(']') || !name.contains(':')) => name,
        _ => host,
    }
}

fn is_bearer(shown: &str, token: &Secret) -> bool {
    let Some((scheme, shown)) = shown.split_once(' ') else { return false };
    // Hashes, so that neither the token's length nor its beginning shows in the time this takes.
    let equal = blake3::hash(shown.trim().as_bytes()).as_bytes().ct_eq(blake3::hash(token.expose().as_bytes()).as_bytes());
    scheme.eq_ignore_ascii_case("bearer") && bool::from(equal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn check(guard: &Guard, method: Method, headers: &[(&'static str, &str)]) -> Result<(), Refusal> {
        let headers =
            headers.iter().map(|(name, value)| (header::HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())).collect();
        guard.check(&method, &headers)
    }

    #[test]
    fn only_its_own_name_and_its_own_pages_are_answered() {
        let mut guard =
            Guard { listen: "127.0.0.1:9280".parse().unwrap(), hosts: vec!["admin.example.com".to_owned()], token: Token::new(None) };
        type Row = (&'static [(&'static str, &'static str)], Result<(), Refusal>);
        let table: &[Row] = &[
            (&[("host", "127.0.0.1:9280")], Ok(())),
            (&[("host", "localhost:9280")], Ok(())),
            (&[("host", "admin.example.com")], Ok(())),
            (&[("host", "admin.example.com:443"), ("origin", "https://admin.example.com")], Ok(())),
            (&[], Err(Refusal::Host)),
            (&[("host", "evil.example:9280")], Err(Refusal::Host)),
            (&[("host", "127.0.0.1:9280"), ("origin", "https://evil.example")], Err(Refusal::Origin)),
            (&[("host", "127.0.0.1:9280"), ("origin", "null")], Err(Refusal::Origin)),
            (&[("host", "127.0.0.1:9280"), ("sec-fetch-site", "cross-site")], Err(Refusal::Origin)),
        ];
        for (headers, expected) in table {
            assert_eq!(check(&guard, Method::GET, headers), *expected, "{headers:?}");
        }
        guard.listen = "[::1]:9280".parse().unwrap();
        assert_eq!(check(&guard, Method::GET, &[("host", "[::1]:9280")]), Ok(()));
    }

    #[test]
    fn changes_are_json_and_a_token_is_asked_for_where_there_is_one() {
        let guard = Guard { listen: "127.0.0.1:9280".parse().unwrap(), hosts: Vec::new(), token: Token::new(Some(Secret::new("s3cret"))) };
        let host = ("host", "127.0.0.1:9280");
        assert_eq!(check(&guard, Method::GET, &[host]), Err(Refusal::Token));
        assert_eq!(check(&guard, Method::GET, &[host, ("authorization", "Bearer nope")]), Err(Refusal::Token));
        let token = ("authorization", "Bearer s3cret");
        assert_eq!(check(&guard, Method::GET, &[host, token]), Ok(()));
        assert_eq!(check(&guard, Method::POST, &[host, token]), Err(Refusal::ContentType));
        assert_eq!(check(&guard, Method::POST, &[host, token, ("content-type", "text/plain")]), Err(Refusal::ContentType));
        assert_eq!(check(&guard, Method::POST, &[host, token, ("content-type", "application/json; charset=utf-8")]), Ok(()));
    }
}
