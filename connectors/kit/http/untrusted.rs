//! Addresses from payloads: written by strangers, so fetched under rules that keep them from reaching anything of ours.
//!
//! https only, hosts of the allow-list only, the resolved address must be public and is the one that is connected to, no redirect, no proxy,
//! no credentials, a small cap on size and time.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use url::{Host, Url};

use super::client::{ClientOptions, builder, failed, read};
use crate::contract::{Cause, Response, TransportError, Unsent};

/// The longest file that is fetched.
const FILE_BYTES_MAX: usize = 10 << 20;
/// How long one may take.
const TIMEOUT: Duration = Duration::from_secs(20);

/// Fetches what strangers name.
#[derive(Debug)]
pub(super) struct Untrusted {
    hosts: Vec<String>,
}

impl Untrusted {
    pub(super) fn new(options: &ClientOptions) -> Self {
        Self { hosts: options.image_hosts.clone() }
    }

    pub(super) async fn fetch(&self, url: &Url) -> Result<Response, TransportError> {
        let host = self.admitted(url)?;
        let port = url.port_or_known_default().unwrap_or(443);
        let addresses: Vec<SocketAddr> =
            tokio::net::lookup_host((host, port)).await.map_err(|_| refused("its host name does not resolve"))?.collect();
        if addresses.is_empty() || !addresses.iter().all(|address| is_public(address.ip())) {
            return Err(refused("its host is not a public address"));
        }
        // Pinned: a second look-up could answer otherwise.
        let client = builder(TIMEOUT).no_proxy().resolve_to_addrs(host, &addresses).build().map_err(|error| failed(&error))?;
        read(client.get(url.clone()).send().await.map_err(|error| failed(&error))?, FILE_BYTES_MAX).await
    }

    fn admitted<'a>(&self, url: &'a Url) -> Result<&'a str, TransportError> {
        let Some(Host::Domain(host)) = url.host() else { return Err(refused("it names no host")) };
        if url.scheme() != "https" || !url.username().is_empty() || url.password().is_some() {
            return Err(refused("only https without credentials is fetched"));
        }
        let known =
            self.hosts.iter().any(|known| host == known || host.strip_suffix(known.as_str()).is_some_and(|rest| rest.ends_with('.')));
        if known { Ok(host) } else { Err(refused("its host is not among those images are copied from")) }
    }
}

fn refused(why: &str) -> TransportError {
    TransportError { unsent: Unsent::Certainly, source: Cause::new(why) }
}

/// Whether an address is out on the internet, and no relay to what is not.
fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            let [a, b, ..] = ip.octets();
            let shared = a == 100 && (64..128).contains(&b);
            let special = a == 0 || a >= 240 || (a == 192 && b == 0) || (a == 198 && (18..20).contains(&b));
            !(ip.is_private() || ip.is_loopback() || ip.is_link_local() || ip.is_multicast() || ip.is_documentation() || shared || special)
        }
        IpAddr::V6(ip) => match ip.to_ipv4_mapped() {
            Some(mapped) => is_public(IpAddr::V4(mapped)),
            // Global unicast only (2000::/3), without 6to4 and Teredo, which carry an IPv4 address inside, and documentation.
            None => {
                let [first, second, ..] = ip.segments();
                first & 0xe000 == 0x2000 && first != 0x2002 && !(first == 0x2001 && (second == 0 || second == 0xdb8))
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_listed_hosts_over_https_are_admitted() {
        let untrusted = Untrusted::new(&ClientOptions::default());
        for (text, good) in [
            ("https://storage.sleekplan.com/a.png", true),
            ("https://x.storage.sleekplan.com/a.png", true),
            ("http://storage.sleekplan.com/a.png", false),
            ("https://evilstorage.sleekplan.com.evil.example/a.png", false),
            ("https://notstorage.sleekplan.com/a.png", false),
            ("https://u@storage.sleekplan.com/a.png", false),
            ("https://127.0.0.1/a.png", false),
            ("file:///etc/passwd", false),
        ] {
            assert_eq!(untrusted.admitted(&Url::parse(text).unwrap()).is_ok(), good, "{text}");
        }
    }

    #[test]
    fn private_addresses_are_told_from_public_ones() {
        for (text, public) in [
            ("93.184.216.34", true),
            ("10.0.0.1", false),
            ("172.16.0.1", false),
            ("192.168.1.1", false),
            ("127.0.0.1", false),
            ("169.254.169.254", false),
            ("100.64.0.1", false),
            ("0.0.0.0", false),
            ("255.255.255.255", false),
            ("::1", false),
            ("fe80::1", false),
            ("fc00::1", false),
            ("::ffff:10.0.0.1", false),
            ("2002:7f00:1::", false),
            ("2606:4700::1", true),
        ] {
            assert_eq!(is_public(text.parse().unwrap()), public, "{text}");
        }
    }
}
