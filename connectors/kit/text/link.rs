//! Which addresses a text may lead to, and how they are spelled.
//!
//! An address is kept when it is absolute and of a scheme that only leads somewhere. It comes out as printable ASCII
//! without a character that any of our formats gives a meaning to, so no writer has to escape it.

use url::Url;

/// The longest address that is kept, in characters; a longer one leaves only its text.
pub(super) const URL_CHARS_MAX: usize = 2_000;

/// What an address may contain as it stands; everything else is percent-encoded.
fn plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-._~:/?#@!$&'()*+,;=%".contains(c)
}

/// The address a link may have, or `None` when only its text should stay.
pub(super) fn link(address: &str) -> Option<String> {
    vet(address, &["http", "https", "mailto", "tel"])
}

/// The address an image may have.
pub(super) fn image(address: &str) -> Option<String> {
    vet(address, &["http", "https"])
}

fn vet(address: &str, schemes: &[&str]) -> Option<String> {
    let address: String = address.trim().chars().filter(|c| !c.is_control()).take(URL_CHARS_MAX + 1).collect();
    let address = if address.starts_with("//") { format!("https:{address}") } else { address };
    let url = Url::parse(&address).ok()?;
    if !schemes.contains(&url.scheme()) || (url.scheme().starts_with("http") && url.host_str().is_none_or(str::is_empty)) {
        return None;
    }
    // What else `url` takes for a host no host is called; and percent-encoding would make it another one.
    let named = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '[' | ']');
    if !url.host_str().unwrap_or_default().chars().all(named) {
        return None;
    }
    let as_written = address.chars().all(plain) && address.starts_with(&format!("{}:", url.scheme()));
    let spelled = if as_written && same_host(&address, &url) { address } else { url.to_string() };
    let spelled = encode(&spelled);
    (spelled.len() <= URL_CHARS_MAX).then_some(spelled)
}

/// Whether `address`, read literally, names the host that `url` does: a browser also accepts `https:host` and `\`.
fn same_host(address: &str, url: &Url) -> bool {
    match url.host_str() {
        Some(host) => address.strip_prefix(url.scheme()).and_then(|rest| rest.strip_prefix("://")).is_some_and(|rest| {
            let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
            authority == host || authority.strip_prefix(host).is_some_and(|port| port.starts_with(':'))
        }),
        None => true,
    }
}

fn encode(address: &str) -> String {
    let balanced = balanced(address);
    let mut out = String::with_capacity(address.len());
    for c in address.chars() {
        if plain(c) && (balanced || !matches!(c, '(' | ')')) {
            out.push(c);
        } else {
            let mut bytes = [0; 4];
            for byte in c.encode_utf8(&mut bytes).bytes() {
                out.push_str(&format!("%{byte:02X}"));
            }
        }
    }
    out
}

fn balanced(address: &str) -> bool {
    let mut depth = 0_usize;
    for c in address.chars() {
        match c {
            '(' => depth += 1,
            ')' if depth == 0 => return false,
            ')' => depth -= 1,
            _ => {}
        }
    }
    depth == 0
}

/// A piece of running text: words, or an address somebody typed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Typed<'a> {
    /// Words.
    Words(&'a str),
    /// An address as typed, and where it leads.
    Address(&'a str, String),
}

/// Finds the addresses in running text, as GitHub-flavoured Markdown does: `http://`, `https://` and `www.`.
///
/// Without this every Markdown reader decides anew, and most include the backslashes of escaped characters.
pub(super) fn typed(text: &str) -> Vec<Typed<'_>> {
    let mut pieces = Vec::new();
    let mut words_from = 0;
    let mut from = 0;
    while let Some(start) = next_start(text, from) {
        let Some(rest) = text.get(start..) else { break };
        let end = start + extent(rest);
        from = end.max(start + 4);
        let Some(address) = text.get(start..end) else {
            break;
        };
        let target = if address.starts_with(['w', 'W']) { format!("http://{address}") } else { address.to_owned() };
        let Some(target) = has_name(&target).then(|| link(&target)).flatten() else {
            continue;
        };
        if let Some(words) = text.get(words_from..start).filter(|words| !words.is_empty()) {
            pieces.push(Typed::Words(words));
        }
        pieces.push(Typed::Address(address, target));
        words_from = end;
    }
    if let Some(words) = text.get(words_from..).filter(|words| !words.is_empty()) {
        pieces.push(Typed::Words(words));
    }
    pieces
}

/// Whether something that can be a host follows the scheme.
fn has_name(address: &str) -> bool {
    address.split_once("://").is_some_and(|(_, rest)| rest.starts_with(|c: char| c.is_alphanumeric() || c == '['))
}

/// Where the next address begins, at or after `from`: not within a word.
fn next_start(text: &str, from: usize) -> Option<usize> {
    let rest = text.get(from..)?;
    let mut before = text.get(..from)?.chars().next_back();
    for (at, c) in rest.char_indices() {
        // A letter of another script does not keep GitHub from seeing an address; a Latin one does.
        if matches!(c, 'h' | 'H' | 'w' | 'W') && !before.is_some_and(|c| c.is_ascii_alphanumeric()) {
            let tail = rest.get(at..)?;
            let begins = |prefix: &str| tail.get(..prefix.len()).is_some_and(|head| head.eq_ignore_ascii_case(prefix));
            if begins("http://") || begins("https://") || begins("www.") {
                return Some(from + at);
            }
        }
        before = Some(c);
    }
    None
}

/// How many bytes of `text`, which begins with an address, belong to it: closing punctuation does not.
fn extent(text: &str) -> usize {
    let ends = |c: char| {
        c.is_whitespace()
            || c.is_control()
            || "<>\"`{}|\\^".contains(c)
            || matches!(c, '\u{200B}' | '\u{2018}'..='\u{201F}' | '\u{3000}'..='\u{303F}' | '\u{FF00}'..='\u{FF65}')
    };
    let mut address = text.get(..text.find(ends).unwrap_or(text.len())).unwrap_or(text);
    // Too long to be kept: looking for its end would take quadratic time.
    while address.len() <= URL_CHARS_MAX * 4
        && let Some(last) = address.chars().next_back()
    {
        let closing = match last {
            '?' | '!' | '.' | ',' | ':' | ';' | '*' | '_' | '~' | '\'' | ']' => true,
            ')' => address.matches(')').count() > address.matches('(').count(),
            _ => false,
        };
        if !closing {
            break;
        }
        address = address.strip_suffix(last).unwrap_or_default();
    }
    address.len()
}
