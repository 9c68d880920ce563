//! A Sleekplan workspace as it is configured.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;

use super::{ProductId, Time};

/// One workspace: what its payloads do not say themselves.
#[derive(Clone, Debug)]
pub struct Product {
    /// Its number at Sleekplan.
    pub id: ProductId,
    /// Its name in the configuration; the id where it is not configured.
    pub name: String,
    /// Zone of Sleekplan's zoneless dates.
    pub time_zone: TimeZone,
    /// Template of an entry's public address.
    pub entry_url: Option<String>,
    /// Template of a feedback post's public address.
    pub feedback_url: Option<String>,
    /// Labels of opaque status keys.
    pub statuses: BTreeMap<String, String>,
    /// Labels of opaque type keys.
    pub types: BTreeMap<String, String>,
}

impl Product {
    /// A workspace nobody configured: UTC, no labels, no addresses.
    pub fn unconfigured(id: ProductId) -> Self {
        Self {
            id,
            name: id.to_string(),
            time_zone: TimeZone::UTC,
            entry_url: None,
            feedback_url: None,
            statuses: BTreeMap::new(),
            types: BTreeMap::new(),
        }
    }

    /// The configured label of a status key, or the key.
    pub fn status_label<'a>(&'a self, key: &'a str) -> &'a str {
        self.statuses.get(key).map_or(key, String::as_str)
    }

    /// The configured label of a type key, or the key.
    pub fn type_label<'a>(&'a self, key: &'a str) -> &'a str {
        self.types.get(key).map_or(key, String::as_str)
    }

    /// Reads one of Sleekplan's dates: `2020-05-22 16:49:00` in the product's zone, or RFC 3339, or a Unix time in s or ms.
    pub fn time(&self, text: &str) -> Option<Time> {
        let text = text.trim();
        if let Ok(number) = text.parse::<f64>() {
            // 1e11 ms is 1973 and 1e11 s is the year 5138: between them lies no date either could mean.
            let ms = if number < 1.0e11 { number * 1000.0 } else { number };
            #[expect(clippy::cast_possible_truncation, reason = "what does not fit is no date jiff knows either")]
            return jiff::Timestamp::from_millisecond(ms as i64).ok().filter(|_| ms > 0.0).map(|at| Time::from_ms(at.as_millisecond()));
        }
        if let Ok(at) = Time::parse_rfc3339(text) {
            return Some(at);
        }
        let zoneless: jiff::civil::DateTime = text.parse().ok()?;
        let zoned = self.time_zone.to_zoned(zoneless).ok()?;
        Some(Time::from_ms(zoned.timestamp().as_millisecond()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zoneless_dates_are_read_in_the_products_zone() {
        let mut product = Product::unconfigured(ProductId(1));
        assert_eq!(product.time("2020-05-22 16:49:00").unwrap().to_string(), "2020-05-22T16:49:00Z");
        product.time_zone = TimeZone::get("Europe/Berlin").unwrap();
        assert_eq!(product.time("2020-05-22 16:49:00").unwrap().to_string(), "2020-05-22T14:49:00Z");
        assert_eq!(product.time("2020-05-22T16:49:00+00:00").unwrap().to_string(), "2020-05-22T16:49:00Z");
        assert_eq!(
            product.time("1506985999").unwrap(),
            product.time("1506985999999").unwrap().minus(std::time::Duration::from_millis(999))
        );
        assert_eq!(product.time("1506985999.0"), product.time("1506985999"));
        for none in ["soon", "0", "-5", "NaN", "inf", "9223372036854775807", "1e300"] {
            assert_eq!(product.time(none), None, "{none}");
        }
    }
}
