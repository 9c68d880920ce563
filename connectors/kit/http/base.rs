//! Base addresses: what a configuration says a service is at.

use std::net::IpAddr;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use url::{Host, Url};

use crate::contract::SettingsError;

/// What is encoded in a segment: everything but the unreserved characters of RFC 3986, section 2.3.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A base address out of the configuration: https, or http where that is safe or was asked for.
///
/// A trailing slash makes no difference: `https://example.com/api` and `https://example.com/api/` are the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Base(Url);

impl Base {
    /// Reads the setting `key`. Plain http is for loopback, unless `allow_insecure` says otherwise.
    ///
    /// # Errors
    /// What is no address, has credentials, a query or a fragment in it, or would send credentials in the clear.
    pub fn parse(key: &'static str, text: &str, allow_insecure: bool) -> Result<Self, SettingsError> {
        let wrong = |problem: &str| SettingsError { key, problem: problem.to_owned(), expected: "an address such as https://example.com" };
        // Never the text itself: somebody may have written a password into it.
        let mut url: Url = text.trim().parse().map_err(|error: url::ParseError| wrong(&format!("is no address ({error})")))?;
        if url.host_str().is_none_or(str::is_empty) {
            return Err(wrong("names no host"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(wrong("has credentials in it; they have settings of their own"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(wrong("has a query or a fragment in it"));
        }
        let path = url.path().trim_end_matches('/').to_owned();
        url.set_path(&path);
        let base = Self(url);
        match base.0.scheme() {
            "https" => Ok(base),
            "http" if base.is_loopback() || allow_insecure => Ok(base),
            "http" => Err(SettingsError {
                key,
                problem: "plain http would send the credentials in the clear".to_owned(),
                expected: "https://, or allow_insecure = true",
            }),
            _ => Err(wrong("is neither https nor http")),
        }
    }

    /// The address of a resource below: each segment is percent-encoded, so `a/b` is one segment.
    ///
    /// An address cannot hold the segments `.` and `..`: they are left out.
    #[must_use]
    pub fn join(&self, segments: &[&str]) -> Url {
        let mut url = self.0.clone();
        let mut path = url.path().trim_end_matches('/').to_owned();
        for segment in segments.iter().filter(|segment| !matches!(**segment, "." | "..")) {
            path.push('/');
            path.extend(utf8_percent_encode(segment, SEGMENT));
        }
        url.set_path(&path);
        url
    }

    /// The same with a query.
    #[must_use]
    pub fn join_query(&self, segments: &[&str], query: &[(&str, &str)]) -> Url {
        let mut url = self.join(segments);
        url.query_pairs_mut().extend_pairs(query);
        url
    }

    /// Whether `url` is on the same scheme, host and port: credentials go nowhere else.
    pub fn is_same_origin(&self, url: &Url) -> bool {
        self.0.origin() == url.origin()
    }

    /// The host, without the port.
    pub fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }

    /// Whether it is this machine.
    pub fn is_loopback(&self) -> bool {
        match self.0.host() {
            Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => IpAddr::V6(address).to_canonical().is_loopback(),
            None => false,
        }
    }

    /// The address as text, without a trailing slash: fit for a [`crate::contract::Scope`].
    pub fn as_str(&self) -> &str {
        self.0.as_str().trim_end_matches('/')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trailing_slash_makes_no_difference() {
        for (text, joined) in [
            ("https://example.com", "https://example.com/issues/3"),
            ("https://example.com/", "https://example.com/issues/3"),
            ("https://example.com/api", "https://example.com/api/issues/3"),
            ("https://example.com/api//", "https://example.com/api/issues/3"),
        ] {
            let base = Base::parse("url", text, false).unwrap();
            assert_eq!(base.join(&["issues", "3"]).as_str(), joined);
            assert_eq!(base.as_str(), joined.trim_end_matches("/issues/3"));
        }
    }

    #[test]
    fn a_segment_stays_one_segment() {
        let base = Base::parse("url", "https://example.com/api", false).unwrap();
        let url = base.join(&["a/b", "..", "50%", "q?x#y", "ü\n"]);
        assert_eq!(url.as_str(), "https://example.com/api/a%2Fb/50%25/q%3Fx%23y/%C3%BC%0A");
        assert_eq!((url.query(), url.fragment()), (None, None));
    }

    #[test]
    fn plain_http_is_for_loopback_or_by_request() {
        for text in ["http://127.0.0.1:8080", "http://localhost", "http://[::1]/x", "http://[::ffff:127.0.0.1]"] {
            assert!(Base::parse("url", text, false).unwrap().is_loopback(), "{text}");
        }
        assert!(Base::parse("url", "http://example.com", false).is_err());
        assert!(Base::parse("url", "http://example.com", true).is_ok());
        assert!(Base::parse("url", "http://localhost.example.com", false).is_err());
    }

    #[test]
    fn what_is_no_base_address_is_refused_without_quoting_it() {
        for text in [
            "",
            "example.com",
            "ftp://example.com",
            "https://me:hunter2@example.com",
            "https://example.com?key=hunter2",
            "https://example.com#hunter2",
        ] {
            let error = Base::parse("url", text, true).unwrap_err();
            assert_eq!(error.key, "url");
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
    }
}
