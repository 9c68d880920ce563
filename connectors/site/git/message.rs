//! What a commit says: one line made from an entry's title, and trailers by which it is known again. Pure.

use serde::{Deserialize, Serialize};

use crate::contract::{Item, RemoteKey};
use crate::kit::text::github_line;

/// The longest first line; what is longer is cut by the tools that show it.
const SUBJECT_CHARS_MAX: usize = 72;
/// The trailer by which a commit is known as ours.
pub(in crate::site) const KEY_TRAILER: &str = "Sleekplan-Key";

/// What happened to an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Happened {
    /// It is on the site for the first time.
    Published,
    /// It changed.
    Edited,
    /// It is no longer public.
    Withdrawn,
    /// It is no more.
    Deleted,
}

impl Happened {
    const fn words(self) -> (&'static str, &'static str) {
        match self {
            Happened::Published => ("Publish: ", "published"),
            Happened::Edited => ("Update: ", "edited"),
            Happened::Withdrawn => ("Withdraw: ", "withdrawn"),
            Happened::Deleted => ("Delete: ", "deleted"),
        }
    }
}

/// The message of the commit that brings `item`.
pub(in crate::site) fn message(item: &Item, title: &str, happened: Happened, key: &RemoteKey) -> String {
    let (verb, word) = happened.words();
    let title = github_line(&inert(title), SUBJECT_CHARS_MAX - verb.chars().count(), None);
    let (id, at, key) = (item.id.id(), item.at, key.key());
    format!("{verb}{title}\n\nSleekplan-Entry: {id}\nSleekplan-Event: {word} {at}\n{KEY_TRAILER}: {key}\n")
}

/// What hosts act upon in a commit's message, besides what an issue's title has in common with it: `[skip ci]` and its like,
/// `***NO_CI***`, smart commits (`#close`), and addresses of issues on any host behind a word that closes.
fn inert(title: &str) -> String {
    title.replace('[', "(").replace(']', ")").replace("***", "").replace("://", ":\u{200B}//").replace('#', "#\u{200B}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::{Fields, ItemId, ItemKind, ProductId, Time};

    fn subject(title: &str) -> String {
        let id = ItemId::top(ProductId(7), ItemKind::Changelog, "771").unwrap();
        let item = Item { id, fields: Fields::default(), at: Time::ZERO, deleted: false };
        let key = RemoteKey::new("sp-7-changelog-771".to_owned(), "00".to_owned());
        let message = message(&item, title, Happened::Published, &key);
        let (subject, rest) = message.split_once('\n').unwrap();
        assert_eq!(rest, "\nSleekplan-Entry: 771\nSleekplan-Event: published 1970-01-01T00:00:00Z\nSleekplan-Key: sp-7-changelog-771\n");
        subject.to_owned()
    }

    #[test]
    fn a_title_is_one_line_that_does_nothing() {
        for (title, expected) in [
            ("CSV export", "Publish: CSV export"),
            ("a\nSleekplan-Key: x\r\n\nb\u{1b}[2J", "Publish: a Sleekplan-Key: x b(2J"),
            ("[skip ci] ***NO_CI*** fix", "Publish: (skip ci) NO_CI fix"),
            ("Closes #12", "Publish: Closes #\u{200B}12"),
            ("ABC-1 #close", "Publish: ABC-1 #\u{200B}close"),
            ("fixes https://git.example/a/b/issues/1", "Publish: fixes https:\u{200B}//git.example/a/b/issues/1"),
        ] {
            assert_eq!(subject(title), expected);
        }
        assert!(!subject("thanks @ann").contains("@ann"));
        let long = subject(&"word ".repeat(1000));
        assert!(long.chars().count() <= 72 && long.ends_with('…'), "{long}");
    }
}
