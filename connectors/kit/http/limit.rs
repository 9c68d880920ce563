//! When a service says it may be asked again.

use std::time::Duration;

use http::HeaderMap;
use http::header::{DATE, RETRY_AFTER};
use jiff::tz::TimeZone;

use crate::contract::{RetryAfter, Time};

/// The three spellings of a date that RFC 9110, section 5.6.7, tells recipients to read.
const HTTP_DATES: [&str; 3] = ["%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"];

/// Reads `Retry-After`: seconds, or a date.
///
/// A date is taken relative to the answer's own `Date` where there is one, so that a service whose clock differs from ours is still
/// given the time it asked for.
pub fn retry_after(headers: &HeaderMap) -> Option<RetryAfter> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Some(seconds) = seconds(text) {
        return Some(RetryAfter::In(seconds));
    }
    let at = http_date(text)?;
    let now = headers.get(DATE).and_then(|date| http_date(date.to_str().ok()?.trim()));
    Some(now.map_or(RetryAfter::At(at), |now| RetryAfter::In(at.since(now))))
}

/// Whole seconds, or with a fraction, which is rounded up: some services send `1.5`.
fn seconds(text: &str) -> Option<Duration> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) {
        return None;
    }
    // More digits than fit is longer than anybody waits, and still a number.
    let whole = whole.parse().unwrap_or(u64::from(u32::MAX));
    let more = fraction.bytes().any(|digit| digit != b'0');
    Some(Duration::from_secs(whole.saturating_add(u64::from(more))))
}

fn http_date(text: &str) -> Option<Time> {
    HTTP_DATES.iter().find_map(|format| {
        let date = jiff::civil::DateTime::strptime(format, text).ok()?;
        Some(Time::from_ms(date.to_zoned(TimeZone::UTC).ok()?.timestamp().as_millisecond()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(retry_after_value: &'static str, date: Option<&'static str>) -> Option<RetryAfter> {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, retry_after_value.parse().unwrap());
        if let Some(date) = date {
            headers.insert(DATE, date.parse().unwrap());
        }
        retry_after(&headers)
    }

    #[test]
    fn seconds_and_every_spelling_of_a_date_are_read() {
        let at = RetryAfter::At(Time::parse_rfc3339("1994-11-06T08:49:37Z").unwrap());
        let table = [
            ("120", Some(RetryAfter::In(Duration::from_secs(120)))),
            ("0", Some(RetryAfter::In(Duration::ZERO))),
            ("1.5", Some(RetryAfter::In(Duration::from_secs(2)))),
            ("99999999999999999999999", Some(RetryAfter::In(Duration::from_secs(u64::from(u32::MAX))))),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(at)),
            ("Sunday, 06-Nov-94 08:49:37 GMT", Some(at)),
            ("Sun Nov  6 08:49:37 1994", Some(at)),
            ("soon", None),
            ("-1", None),
            ("", None),
        ];
        for (text, expected) in table {
            assert_eq!(read(text, None), expected, "{text}");
        }
        assert_eq!(retry_after(&HeaderMap::new()), None);
    }

    #[test]
    fn a_date_counts_from_the_services_own_clock() {
        let after = read("Sun, 06 Nov 1994 08:50:37 GMT", Some("Sun, 06 Nov 1994 08:49:37 GMT"));
        assert_eq!(after, Some(RetryAfter::In(Duration::from_secs(60))));
        let past = read("Sun, 06 Nov 1994 08:48:37 GMT", Some("Sun, 06 Nov 1994 08:49:37 GMT"));
        assert_eq!(past, Some(RetryAfter::In(Duration::ZERO)));
    }
}
