//! The values that are text in a configuration and something else in the daemon, parsed once, here.

use std::fmt;
use std::marker::PhantomData;
use std::net::SocketAddr;
use std::time::Duration;

use jiff::tz::TimeZone;
use serde::de::{Deserialize, Deserializer, Error, Visitor};
use sleeksync_connectors::contract::Time;
use url::Url;

use super::mistake::{expected_one_of, shown};

/// A value written as text.
pub(super) trait Word: Sized {
    /// What a person should have written.
    const EXPECTED: &'static str;

    /// Reads it.
    ///
    /// # Errors
    /// What is wrong and what is expected, as `PROBLEM; EXPECTATION`.
    fn read(text: &str) -> Result<Self, String>;
}

/// A time span of more than nothing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Period(pub(super) Duration);

/// A time span that may be nothing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wait(pub(super) Duration);

/// A number of bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Size(pub(super) u64);

/// Where a listener listens.
#[derive(Clone, Copy, Debug)]
pub(super) struct Listen(pub(super) SocketAddr);

/// An http address without credentials, query and fragment.
#[derive(Clone, Debug)]
pub(super) struct Web(pub(super) Url);

/// A text that is not empty.
#[derive(Clone, Debug)]
pub(super) struct Filled(pub(super) String);

/// A time zone of the IANA database.
#[derive(Clone, Debug)]
pub(super) struct Zone(pub(super) TimeZone);

/// A day, a point in time, or `all`, which is `None`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Start(pub(super) Option<Time>);

const DURATION: &str = "a duration with its unit, such as \"600ms\", \"30s\", \"15m\", \"24h\" or \"90d\"";

/// A century: nothing is configured for longer, and every sum of such spans fits.
const SPAN_MAX: Duration = Duration::from_secs(100 * 366 * 24 * 3600);

impl Word for Wait {
    const EXPECTED: &'static str = DURATION;

    fn read(text: &str) -> Result<Self, String> {
        let unit_ms = |unit: &str| match unit {
            "ms" => Some(1),
            "s" => Some(1000),
            "m" => Some(60_000),
            "h" => Some(3_600_000),
            "d" => Some(86_400_000),
            _ => None,
        };
        let ms = amount(text, unit_ms).ok_or_else(|| format!("{} is no duration; expected {DURATION}", shown(text)))?;
        let span = Duration::from_millis(ms);
        if span > SPAN_MAX { Err(format!("{} is too long; expected at most 100 years", shown(text))) } else { Ok(Self(span)) }
    }
}

impl Word for Period {
    const EXPECTED: &'static str = DURATION;

    fn read(text: &str) -> Result<Self, String> {
        let Wait(span) = Wait::read(text)?;
        if span.is_zero() { Err(format!("is zero; expected {DURATION}")) } else { Ok(Self(span)) }
    }
}

impl Word for Size {
    const EXPECTED: &'static str = "a size with its unit, such as \"512KiB\", \"1MiB\" or \"2GiB\"";

    fn read(text: &str) -> Result<Self, String> {
        let unit = |unit: &str| match unit {
            "B" => Some(1),
            "KiB" => Some(1 << 10),
            "MiB" => Some(1 << 20),
            "GiB" => Some(1 << 30),
            "TiB" => Some(1 << 40),
            _ => None,
        };
        amount(text, unit).map(Self).ok_or_else(|| format!("{} is no size; expected {}", shown(text), Self::EXPECTED))
    }
}

/// A whole number and its unit, with at most blanks between; `None` also where it is too large to hold.
fn amount(text: &str, factor: impl Fn(&str) -> Option<u64>) -> Option<u64> {
    let text = text.trim();
    let (digits, unit) = text.split_at_checked(text.find(|c: char| !c.is_ascii_digit())?)?;
    digits.parse::<u64>().ok()?.checked_mul(factor(unit.trim_start())?)
}

impl Word for Listen {
    const EXPECTED: &'static str = "an address and a port, such as \"127.0.0.1:8080\" or \"[::]:8080\"";

    fn read(text: &str) -> Result<Self, String> {
        text.trim().parse().map(Self).map_err(|_| format!("{} is no address to listen on; expected {}", shown(text), Self::EXPECTED))
    }
}

impl Word for Web {
    const EXPECTED: &'static str = "an address such as \"https://hooks.example.com\"";

    fn read(text: &str) -> Result<Self, String> {
        // The value is not shown: somebody may have put credentials in it.
        let refuse = |problem: &str| Err(format!("{problem}; expected {}", Self::EXPECTED));
        let Ok(url) = Url::parse(text.trim()) else { return refuse("is no address") };
        match url {
            _ if !matches!(url.scheme(), "http" | "https") || !url.has_host() => refuse("is no http address"),
            _ if !url.username().is_empty() || url.password().is_some() => refuse("carries credentials"),
            _ if url.query().is_some() || url.fragment().is_some() => refuse("carries a query or a fragment"),
            url => Ok(Self(url)),
        }
    }
}

impl Word for Filled {
    const EXPECTED: &'static str = "a text";

    fn read(text: &str) -> Result<Self, String> {
        if text.trim().is_empty() { Err("is empty; expected a text, or no such key".to_owned()) } else { Ok(Self(text.to_owned())) }
    }
}

impl Word for Zone {
    const EXPECTED: &'static str = "a time zone such as \"UTC\" or \"Europe/Berlin\"";

    fn read(text: &str) -> Result<Self, String> {
        TimeZone::get(text).map(Self).map_err(|_| {
            let known: Vec<String> = jiff::tz::db().available().map(|name| name.to_string()).collect();
            let near = expected_one_of(text, known.iter().map(String::as_str));
            let expected = if near.starts_with("did") { near } else { format!("expected {}", Self::EXPECTED) };
            format!("{} is no time zone; {expected}", shown(text))
        })
    }
}

impl Word for Start {
    const EXPECTED: &'static str = "a day such as \"2026-01-01\", a time such as \"2026-01-01T08:00:00Z\", or \"all\"";

    fn read(text: &str) -> Result<Self, String> {
        let midnight = || {
            let day: jiff::civil::Date = text.parse().ok()?;
            Some(Time::from_ms(day.to_zoned(TimeZone::UTC).ok()?.timestamp().as_millisecond()))
        };
        match text {
            "all" => Ok(Self(None)),
            _ => match Time::parse_rfc3339(text).ok().or_else(midnight) {
                Some(at) => Ok(Self(Some(at))),
                None => Err(format!("{} is no point in time; expected {}", shown(text), Self::EXPECTED)),
            },
        }
    }
}

struct WordVisitor<W>(PhantomData<W>);

impl<W: Word> Visitor<'_> for WordVisitor<W> {
    type Value = W;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(W::EXPECTED)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<W, E> {
        W::read(text).map_err(E::custom)
    }
}

macro_rules! deserialize_words {
    ($($name:ident),*) => {$(
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str(WordVisitor(PhantomData))
            }
        }
    )*};
}

deserialize_words!(Period, Wait, Size, Listen, Web, Filled, Zone, Start);
