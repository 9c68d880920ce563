//! Settings of `postgres`.

use std::path::PathBuf;

use percent_encoding::percent_decode_str;
use serde::Deserialize;
use url::{Host, Url};

use crate::contract::{Mistakes, Secret, SettingsError};

/// The longest name PostgreSQL keeps, in bytes (postgresql.org/docs, "Identifiers and Key Words").
const NAME_BYTES_MAX: usize = 63;
const PORT: u16 = 5432;
const URL: &str = "postgres://USER:PASSWORD@HOST/DATABASE";

/// `[connectors.NAME]` of kind `postgres`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Where the database is, and who writes to it. A secret: it carries the password.
    pub url: Secret,
    /// The schema that holds the tables.
    #[serde(default = "sleekplan")]
    pub schema: String,
    /// Whether a connection to another machine may go unencrypted.
    #[serde(default)]
    pub allow_insecure: bool,
}

fn sleekplan() -> String {
    "sleekplan".to_owned()
}

/// Where a connection leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Server {
    /// A machine, by name or address.
    Host(String),
    /// The folder of a socket on this machine.
    Socket(String),
}

/// How a connection is protected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Protection {
    /// Not at all: it does not leave this machine, or the configuration says so.
    None,
    /// TLS; the certificate is for this host, and an authority of this file, or of this machine, vouches for it.
    Tls(Option<PathBuf>),
}

/// The address, taken apart.
#[derive(Clone, Debug)]
pub struct Address {
    /// Where.
    pub server: Server,
    /// Its port.
    pub port: u16,
    /// Who.
    pub user: String,
    /// The password, if there is one.
    pub password: Option<Secret>,
    /// Which database.
    pub database: String,
    /// How it is protected.
    pub protection: Protection,
}

impl Settings {
    /// The address, if nothing is wrong with the settings.
    ///
    /// # Errors
    /// Every mistake. Never the address itself.
    pub fn address(&self) -> Result<Address, Vec<SettingsError>> {
        let mut mistakes = Mistakes::default();
        let first = |c: char| c.is_ascii_lowercase() || c == '_';
        let is_name = self.schema.starts_with(first) && self.schema.chars().all(|c| first(c) || c.is_ascii_digit());
        if !is_name || self.schema.len() > NAME_BYTES_MAX || self.schema.starts_with("pg_") {
            mistakes.add("schema", "is no name of a schema", "small letters, digits and underscores, not beginning with pg_");
        }
        let address = mistakes.note(self.read());
        mistakes.or(address)
    }

    fn read(&self) -> Result<Address, SettingsError> {
        let wrong = |problem: String| SettingsError { key: "url", problem, expected: URL };
        let url: Url = self.url.expose().trim().parse().map_err(|error: url::ParseError| wrong(format!("is no address ({error})")))?;
        if !matches!(url.scheme(), "postgres" | "postgresql") {
            return Err(wrong("does not begin with postgres://".to_owned()));
        }
        let query = Query::read(&url)?;
        let (server, is_here) = server(&url, query.socket)?;
        let protection = protection(query.mode.as_deref(), query.roots, is_here, self.allow_insecure)?;
        let user = decoded(url.username());
        let database = decoded(url.path().trim_start_matches('/'));
        if user.is_empty() || database.is_empty() {
            return Err(wrong("names no user or no database".to_owned()));
        }
        let password = url.password().map(|password| Secret::new(decoded(password)));
        Ok(Address { server, port: url.port().unwrap_or(PORT), user, password, database, protection })
    }
}

/// What stands behind the question mark.
#[derive(Default)]
struct Query {
    mode: Option<String>,
    roots: Option<PathBuf>,
    socket: Option<String>,
}

impl Query {
    fn read(url: &Url) -> Result<Self, SettingsError> {
        let mut query = Self::default();
        for (name, value) in url.query_pairs() {
            match name.as_ref() {
                "sslmode" => query.mode = Some(value.into_owned()),
                "sslrootcert" => query.roots = Some(PathBuf::from(value.as_ref())),
                "host" if value.starts_with('/') => query.socket = Some(value.into_owned()),
                // The name may be a part of a password that was not encoded.
                _ => {
                    return Err(SettingsError {
                        key: "url",
                        problem: "has a parameter that is not known".to_owned(),
                        expected: "sslmode, sslrootcert, or host with the folder of a socket",
                    });
                }
            }
        }
        Ok(query)
    }
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// Where it is, and whether that is this machine.
fn server(url: &Url, socket: Option<String>) -> Result<(Server, bool), SettingsError> {
    if let Some(folder) = socket {
        return Ok((Server::Socket(folder), true));
    }
    let host = url.host_str().map(decoded).filter(|host| !host.is_empty());
    let host = host.ok_or_else(|| SettingsError { key: "url", problem: "names no host".to_owned(), expected: URL })?;
    // The host of such an address is a name to the parser, whatever it looks like.
    let is_here = match Host::parse(&host) {
        Ok(Host::Ipv4(ip)) => ip.is_loopback(),
        Ok(Host::Ipv6(ip)) => ip.is_loopback(),
        Ok(Host::Domain(name)) => name == "localhost",
        Err(_) => false,
    };
    Ok((Server::Host(host.trim_start_matches('[').trim_end_matches(']').to_owned()), is_here))
}

fn protection(mode: Option<&str>, roots: Option<PathBuf>, is_here: bool, allow_insecure: bool) -> Result<Protection, SettingsError> {
    match mode {
        None if is_here && roots.is_none() => Ok(Protection::None),
        // libpq's `require` takes any certificate; here every one is checked.
        None | Some("require" | "verify-ca" | "verify-full") => Ok(Protection::Tls(roots)),
        Some("disable") if is_here || allow_insecure => Ok(Protection::None),
        Some("disable") => Err(SettingsError {
            key: "url",
            problem: "sslmode=disable would send everything in the clear".to_owned(),
            expected: "sslmode=verify-full, or allow_insecure = true",
        }),
        Some(_) => Err(SettingsError {
            key: "url",
            problem: "has an sslmode that protects from nobody, or none that is known".to_owned(),
            expected: "sslmode=verify-full (also require, verify-ca), or disable",
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(url: &str, allow_insecure: bool) -> Result<Address, Vec<SettingsError>> {
        Settings { url: Secret::new(url), schema: sleekplan(), allow_insecure }.address()
    }

    #[test]
    fn a_connection_that_leaves_the_machine_is_protected_unless_the_configuration_says_otherwise() {
        let tls = |roots: Option<&str>| Some(Protection::Tls(roots.map(PathBuf::from)));
        for (url, insecure, expected) in [
            ("postgres://ann:x@db.example.com/app", false, tls(None)),
            ("postgresql://ann:x@db.example.com:6432/app?sslmode=require", false, tls(None)),
            ("postgres://ann:x@10.0.0.1/app?sslmode=verify-full&sslrootcert=/etc/ca.pem", false, tls(Some("/etc/ca.pem"))),
            ("postgres://ann:x@db.example.com/app?sslmode=disable", false, None),
            ("postgres://ann:x@db.example.com/app?sslmode=disable", true, Some(Protection::None)),
            ("postgres://ann:x@db.example.com/app?sslmode=prefer", true, None),
            ("postgres://ann:x@localhost/app", false, Some(Protection::None)),
            ("postgres://ann:x@127.0.0.1/app?sslmode=disable", false, Some(Protection::None)),
            ("postgres://ann@[::1]:5433/app", false, Some(Protection::None)),
            ("postgres://ann@localhost/app?sslmode=verify-full", false, tls(None)),
            ("postgres://ann@localhost.example.com/app?sslmode=disable", false, None),
            ("postgres://ann@ignored/app?host=/run/postgresql", false, Some(Protection::None)),
        ] {
            assert_eq!(read(url, insecure).ok().map(|address| address.protection), expected, "{url}");
        }
    }

    #[test]
    fn an_address_is_taken_apart_and_a_wrong_one_is_not_quoted() {
        let address = read("postgres://an%40n:p%2Fw@db.example.com:6432/my%20app", false).unwrap();
        assert_eq!((address.user.as_str(), address.port, address.database.as_str()), ("an@n", 6432, "my app"));
        assert_eq!(address.password.unwrap().expose(), "p/w");
        assert_eq!(read("postgres://ann@[::1]/app", false).unwrap().server, Server::Host("::1".to_owned()));
        for url in [
            "hunter2",
            "mysql://ann:hunter2@h/d",
            "postgres://h/hunter2",
            "postgres://ann:hunter2@h/",
            "postgres://ann:x@h/d?hunter2=1",
            "postgres://ann:hunter2@/d",
            "postgres://ann:x@h/d?sslmode=hunter2",
        ] {
            let mistakes = read(url, false).unwrap_err();
            assert!(mistakes.iter().all(|mistake| !mistake.to_string().contains("hunter2")), "{mistakes:?}");
        }
    }

    #[test]
    fn a_schema_is_a_plain_name() {
        for (schema, is_right) in
            [("sleekplan", true), ("s_1", true), ("", false), ("1s", false), ("a\"b", false), ("pg_x", false), ("A", false)]
        {
            let settings = Settings { url: Secret::new("postgres://a@localhost/d"), schema: schema.to_owned(), allow_insecure: false };
            assert_eq!(settings.address().is_ok(), is_right, "{schema}");
        }
    }
}
