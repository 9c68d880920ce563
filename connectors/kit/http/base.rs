//! Base addresses from the configuration.

use std::net::IpAddr;

use url::{Host, Url};

use crate::contract::SettingsError;

/// The address of a service, as its vendor documents it. A trailing slash makes no difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Base(Url);

impl Base {
    /// Reads the setting `key`.
    ///
    /// # Errors
    /// What is no address, carries credentials, a query or a fragment, or is plain `http` to anything but loopback without `allow_insecure`.
    pub fn parse(key: &'static str, text: &str, allow_insecure: bool) -> Result<Self, SettingsError> {
        let wrong = |problem: &str, expected| SettingsError { key, problem: problem.to_owned(), expected };
        let url = Url::parse(text).map_err(|_| wrong("it is no address", "an address such as https://api.example.com"))?;
        if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
            return Err(wrong("it is no web address", "an address that begins with https://"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(wrong("it carries credentials", "an address without them; credentials have settings of their own"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(wrong("it carries a query or fragment", "an address that ends with its path"));
        }
        let base = Self(url);
        if base.0.scheme() == "http" && !base.is_loopback() && !allow_insecure {
            return Err(wrong("plain http would show the credentials to the network", "https://, or allow_insecure = true"));
        }
        Ok(base)
    }

    /// The address of what these path segments name; each is escaped.
    pub fn join(&self, segments: &[&str]) -> Url {
        let mut url = self.0.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        url
    }

    /// The same with a query.
    pub fn join_query(&self, segments: &[&str], query: &[(&str, &str)]) -> Url {
        let mut url = self.join(segments);
        url.query_pairs_mut().extend_pairs(query);
        url
    }

    /// The host's name.
    pub fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }

    /// Whether it is this machine.
    pub fn is_loopback(&self) -> bool {
        match self.0.host() {
            Some(Host::Ipv4(ip)) => IpAddr::V4(ip).is_loopback(),
            Some(Host::Ipv6(ip)) => IpAddr::V6(ip).is_loopback(),
            Some(Host::Domain(name)) => name == "localhost",
            None => false,
        }
    }

    /// Whether `url` is on the same scheme, host and port: credentials go nowhere else.
    pub fn is_same_origin(&self, url: &Url) -> bool {
        self.0.origin() == url.origin()
    }

    /// Without a trailing slash.
    pub fn as_str(&self) -> &str {
        self.0.as_str().trim_end_matches('/')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_escaped_and_a_trailing_slash_makes_no_difference() {
        for text in ["https://h.example/api/v3", "https://h.example/api/v3/"] {
            let base = Base::parse("api_url", text, false).unwrap();
            assert_eq!(base.join(&["repos", "a/b", "?x"]).as_str(), "https://h.example/api/v3/repos/a%2Fb/%3Fx");
        }
    }

    #[test]
    fn plain_http_is_for_loopback_or_on_demand() {
        for (text, insecure, good) in [
            ("http://127.0.0.1:1", false, true),
            ("http://localhost:1", false, true),
            ("http://[::1]:1", false, true),
            ("http://api.example.com", false, false),
            ("http://api.example.com", true, true),
            ("https://u:p@api.example.com", false, false),
            ("ftp://api.example.com", true, false),
            ("api.example.com", true, false),
        ] {
            assert_eq!(Base::parse("url", text, insecure).is_ok(), good, "{text}");
        }
    }
}
