//! The second client, for addresses that came from a payload: nobody chose them, so they may lead anywhere.
//!
//! Only https, only hosts of a list, only public addresses, each pinned by being resolved once and connected to as resolved; no redirect,
//! no proxy, no credentials, bounded size and time.

use std::net::SocketAddr;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

use super::client::{ClientError, ClientOptions, read};
use super::public::is_public;
use crate::contract::{Cause, Response, TransportError, Unsent};

/// The largest image that is fetched, in bytes.
pub const IMAGE_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Where Sleekplan keeps what people upload, as public payloads show; the default of the list of hosts.
pub const IMAGE_HOSTS: &[&str] = &["storage.sleekplan.com"];

/// Fetches what a payload points to.
#[derive(Debug)]
pub(super) struct Untrusted {
    client: reqwest::Client,
    hosts: Vec<String>,
}

impl Untrusted {
    pub(super) fn new(options: &ClientOptions) -> Result<Self, ClientError> {
        let client = super::client::builder(options)
            .no_proxy()
            .https_only(true)
            .dns_resolver(PublicOnly)
            // A connection of its own for each image: nothing of one request can be seen by the next.
            .pool_max_idle_per_host(0)
            .build()
            .map_err(ClientError::from)?;
        Ok(Self { client, hosts: options.image_hosts.iter().map(|host| host.to_ascii_lowercase()).collect() })
    }

    pub(super) async fn fetch(&self, url: &Url) -> Result<Response, TransportError> {
        allowed(url, &self.hosts).map_err(|reason| TransportError { unsent: Unsent::Certainly, source: Cause::new(reason) })?;
        let request = self.client.get(url.clone());
        read(request.send().await, url, IMAGE_BYTES_MAX).await
    }
}

/// Whether `url` may be asked at all: https on its own port, a name of the list or below one, no credentials.
fn allowed(url: &Url, hosts: &[String]) -> Result<(), &'static str> {
    if url.scheme() != "https" || url.port().is_some() {
        return Err("the image's address is not plain https");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("the image's address has credentials in it");
    }
    let Some(Host::Domain(name)) = url.host() else {
        return Err("the image's address names no host");
    };
    // The name with its root dot is the same host.
    let name = name.trim_end_matches('.');
    let below = |host: &String| name.strip_suffix(host.as_str()).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    if hosts.iter().any(below) { Ok(()) } else { Err("the image's host is not among those that images are fetched from") }
}

/// Resolves names to public addresses or not at all. What it answers is what is connected to, so a name cannot change its mind in between.
#[derive(Debug)]
struct PublicOnly;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            Ok(Box::new(all_public(found)?.into_iter()) as Addrs)
        })
    }
}

/// One address inside is enough to refuse them all: which of them is used is not ours to choose.
fn all_public(found: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, NotPublic> {
    if found.iter().all(|address| is_public(address.ip())) { Ok(found) } else { Err(NotPublic) }
}

#[derive(Debug, thiserror::Error)]
#[error("the name leads to an address that is not public")]
struct NotPublic;

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn hosts() -> Vec<String> {
        IMAGE_HOSTS.iter().map(|host| (*host).to_owned()).collect()
    }

    #[test]
    fn only_https_on_listed_hosts_is_allowed() {
        let check = |text: &str| allowed(&text.parse().unwrap(), &hosts());
        for text in
            ["https://storage.sleekplan.com/a.png", "https://eu.storage.sleekplan.com/a.png", "https://STORAGE.sleekplan.com./a.png"]
        {
            assert!(check(text).is_ok(), "{text}");
        }
        for text in [
            "http://storage.sleekplan.com/a.png",
            "https://storage.sleekplan.com:8443/a.png",
            "https://me:pw@storage.sleekplan.com/a.png",
            "https://storage.sleekplan.com@evil.example/a.png",
            "https://evilstorage.sleekplan.com/a.png",
            "https://storage.sleekplan.com.evil.example/a.png",
            "https://127.0.0.1/a.png",
            "https://[::1]/a.png",
            "ftp://storage.sleekplan.com/a.png",
            "data:image/png;base64,AAAA",
        ] {
            assert!(check(text).is_err(), "{text}");
        }
    }

    #[test]
    fn one_address_inside_refuses_them_all() {
        let at = |text: &str| text.parse::<SocketAddr>().unwrap();
        assert!(all_public(vec![at("8.8.8.8:0")]).is_ok());
        assert!(all_public(vec![at("8.8.8.8:0"), at("10.0.0.1:0")]).is_err());
    }

    #[tokio::test]
    async fn a_listed_name_that_leads_inside_is_not_connected_to() {
        let options =
            ClientOptions { image_hosts: vec!["localhost".to_owned()], timeout: Duration::from_secs(5), ..ClientOptions::default() };
        let error = Untrusted::new(&options).unwrap().fetch(&"https://localhost/a.png".parse().unwrap()).await.unwrap_err();
        assert_eq!(error.unsent, Unsent::Certainly);
        assert!(error.source.as_str().contains("not public"), "{}", error.source);
    }
}
