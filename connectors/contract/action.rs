//! The sixteen things Sleekplan says happened (docs page "Webhooks", events).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::ItemKind;

macro_rules! actions {
    ($($name:ident = $word:literal, $kind:ident, $makes:literal;)*) => {
        /// What a webhook says happened.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub enum Action { $(#[doc = concat!("`", $word, "`")] $name),* }

        impl Action {
            /// All of them, in the order of the vendor's page.
            pub const ALL: &'static [Action] = &[$(Action::$name),*];

            /// Sleekplan's own word for it.
            pub const fn as_str(self) -> &'static str {
                match self { $(Action::$name => $word),* }
            }

            /// The kind of item it is about.
            pub const fn kind(self) -> ItemKind {
                match self { $(Action::$name => ItemKind::$kind),* }
            }

            /// Whether it makes an item: only such an event revives what was deleted.
            pub const fn makes(self) -> bool {
                match self { $(Action::$name => $makes),* }
            }
        }
    };
}

actions! {
    ItemCreate = "item.create", Feedback, true;
    ItemUpdate = "item.update", Feedback, false;
    ItemDelete = "item.delete", Feedback, false;
    CommentCreate = "comment.create", Comment, true;
    CommentUpdate = "comment.update", Comment, false;
    CommentDelete = "comment.delete", Comment, false;
    VoteCreate = "vote.create", Vote, true;
    SubscriptionCreate = "subscription.create", Subscription, true;
    SubscriptionDelete = "subscription.delete", Subscription, false;
    UserCreate = "user.create", User, true;
    UserUpdate = "user.update", User, false;
    UserDelete = "user.delete", User, false;
    ChangelogCreate = "changelog.create", Changelog, true;
    ChangelogUpdate = "changelog.update", Changelog, false;
    ChangelogSubscribe = "changelog.subscribe", Subscriber, true;
    SatisfactionCreate = "satisfaction.create", Satisfaction, true;
}

impl Action {
    /// Whether it deletes its item.
    pub const fn deletes(self) -> bool {
        matches!(self, Action::ItemDelete | Action::CommentDelete | Action::SubscriptionDelete | Action::UserDelete)
    }

    /// A set of actions as bits, one for each of [`Action::ALL`].
    pub const fn bit(self) -> u32 {
        1 << (self as u32)
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word that is none of the documented actions.
#[derive(Debug, thiserror::Error)]
#[error("unknown action `{0}`")]
pub struct UnknownAction(pub String);

impl FromStr for Action {
    type Err = UnknownAction;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Action::ALL.iter().copied().find(|action| action.as_str() == text).ok_or_else(|| UnknownAction(text.chars().take(64).collect()))
    }
}

impl TryFrom<String> for Action {
    type Error = UnknownAction;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Action> for String {
    fn from(action: Action) -> Self {
        action.as_str().to_owned()
    }
}
