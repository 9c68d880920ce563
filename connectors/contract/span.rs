//! Durations in settings: a number with a unit.

use std::time::Duration;

use serde::Deserialize;
use serde::de::{Deserializer, Error};

/// A duration as people write it: `"600ms"`, `"30s"`, `"10m"`, `"24h"`, `"90d"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span(pub Duration);

impl Span {
    /// Reads one; `None` for what is none.
    pub fn parse(text: &str) -> Option<Self> {
        let at = text.find(|c: char| !c.is_ascii_digit())?;
        let (number, unit) = text.split_at_checked(at)?;
        let ms = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return None,
        };
        Some(Self(Duration::from_millis(number.parse::<u64>().ok()?.checked_mul(ms)?)))
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Span::parse(&text)
            .ok_or_else(|| D::Error::custom("expected a duration with a unit such as \"600ms\", \"30s\", \"10m\", \"24h\" or \"90d\""))
    }
}
