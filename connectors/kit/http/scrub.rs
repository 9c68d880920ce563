//! Keeps what a request carried in secret out of what is said about its failure: some services quote it in their errors.

use std::borrow::Cow;

use http::HeaderMap;

use crate::contract::{Cause, Failure};

/// Shorter words are left alone: they stand in ordinary sentences, and name no secret.
const SECRET_CHARS_MIN: usize = 4;
/// What stands for a secret.
const REDACTED: &str = "[secret]";

/// Every word of every header that is marked sensitive, longest first.
pub(super) fn secrets(headers: &HeaderMap) -> Vec<String> {
    let words = headers.values().filter(|value| value.is_sensitive()).flat_map(|value| {
        let text = String::from_utf8_lossy(value.as_bytes()).into_owned();
        let words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
        words.into_iter().chain([text])
    });
    // The name of the scheme is no secret.
    let mut secrets: Vec<String> = words.filter(|word| word.chars().count() >= SECRET_CHARS_MIN && !is_scheme(word)).collect();
    secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    secrets.dedup();
    secrets
}

/// The same failure, its cause without any of `secrets`.
pub(super) fn without(mut failure: Failure, secrets: &[String]) -> Failure {
    let source = match &mut failure {
        Failure::Transient { source, .. }
        | Failure::Unknown { source, .. }
        | Failure::Rejected { source }
        | Failure::Unauthorized { source }
        | Failure::Missing { source }
        | Failure::Unwanted { source } => source,
    };
    if let Cow::Owned(clean) = clean(source.as_str(), secrets) {
        *source = Cause::new(clean);
    }
    failure
}

fn clean<'a>(text: &'a str, secrets: &[String]) -> Cow<'a, str> {
    let mut text = Cow::Borrowed(text);
    for secret in secrets {
        if text.contains(secret.as_str()) {
            text = Cow::Owned(text.replace(secret.as_str(), REDACTED));
        }
        // A cause is cut to its greatest length, perhaps in the middle of the secret.
        if let Some(kept) = without_begun(&text, secret) {
            text = Cow::Owned(format!("{kept}{REDACTED}"));
        }
    }
    text
}

/// `text` without the beginning of `secret` that it ends in, where there is one; a cut may have left its sign behind.
fn without_begun(text: &str, secret: &str) -> Option<String> {
    let text = text.strip_suffix('…').unwrap_or(text);
    let ends = secret.char_indices().map(|(at, _)| at).skip(SECRET_CHARS_MIN);
    ends.filter_map(|end| text.strip_suffix(secret.get(..end)?)).last().map(str::to_owned)
}

fn is_scheme(word: &str) -> bool {
    ["basic", "bearer", "token", "digest", "ghost"].iter().any(|scheme| word.eq_ignore_ascii_case(scheme))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::{Request, Secret};
    use crate::kit::http::{authorize, json_request};

    fn carrying(secret: &str) -> Request {
        let mut request = json_request::<()>(http::Method::GET, "https://example.com".parse().unwrap(), None);
        authorize(&mut request, "Bearer", &Secret::new(secret));
        request
    }

    #[test]
    fn a_secret_that_the_service_quotes_is_not_repeated() {
        let secrets = secrets(&carrying("hunter2hunter2").headers);
        for said in [
            "bad Authorization: Bearer hunter2hunter2!",
            "token hunter2hunter2 has expired",
            "no such key: hunter2hun",
            "no such key: hunter2hunt…",
        ] {
            let failure = without(Failure::Unauthorized { source: Cause::new(said) }, &secrets);
            assert!(!failure.cause().as_str().contains("hunter2"), "{}", failure.cause());
            assert!(failure.cause().as_str().contains(REDACTED), "{}", failure.cause());
        }
    }

    #[test]
    fn ordinary_words_stay() {
        let secrets = secrets(&carrying("hunter2hunter2").headers);
        let failure = without(Failure::Rejected { source: Cause::new("Bearer token hunts in vain") }, &secrets);
        assert_eq!(failure.cause().as_str(), "Bearer token hunts in vain");
    }
}
