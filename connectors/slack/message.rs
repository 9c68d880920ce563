//! What a message says: Block Kit, within Slack's limits, with nothing in it that acts.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::config::{Ready, Settings};
use crate::contract::{Action, Change, Item, ItemKind, Links, PlanError};
use crate::kit::entry::button;
use crate::kit::text::{Dialect, Format, Length, SHORTENED, slack_line, slack_link};
use crate::kit::view;

/// The longest title, in characters; escaped, it is at most five times as long.
const TITLE_CHARS_MAX: usize = 150;
/// The longest status, type or name.
const FACT_CHARS_MAX: usize = 80;
/// The most that is shown of a long text, escaped.
const EXCERPT_UNITS_MAX: usize = 900;
/// "Maximum length for the text in this field is 3000 characters" (Block Kit, section block).
const SECTION_UNITS_MAX: usize = 3_000;
/// "Maximum length for the text in this field is 75 characters" (Block Kit, button element).
const BUTTON_CHARS_MAX: usize = 75;
/// "Maximum length is 3000 characters" (Block Kit, button element, url).
const URL_CHARS_MAX: usize = 3_000;

/// One message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Message {
    /// What a notification says; mrkdwn.
    pub text: String,
    /// What the channel shows.
    pub blocks: Vec<Value>,
}

/// What a message is written from.
pub(super) struct Writer<'a> {
    pub settings: &'a Settings,
    pub ready: &'a Ready,
    pub change: &'a Change<'a>,
    pub links: &'a Links,
}

impl Writer<'_> {
    /// The message under this heading.
    pub fn message(&self, heading: &str) -> Result<Message, PlanError> {
        let item = self.change.item;
        let subject = self.subject();
        let title = subject.map(|subject| slack_line(&title(subject), TITLE_CHARS_MAX));
        let text = title.as_ref().map_or_else(|| heading.to_owned(), |title| format!("{heading}: {title}"));
        if let Some(template) = &self.ready.template {
            let worded = template.render(&view::view(self.change, self.links, Dialect::Plain))?;
            return Ok(Message { text, blocks: vec![section(fitting(worded.trim())?)] });
        }
        let facts: Vec<String> = [format!("*{heading}*")].into_iter().chain(self.facts(subject)).collect();
        let mut blocks = vec![json!({"type": "context", "elements": [mrkdwn(facts.join("  ·  "))]})];
        let words = self.words(subject);
        blocks.extend((!words.is_empty()).then(|| section(words)));
        let buttons = if item.deleted { Vec::new() } else { self.buttons(subject) };
        blocks.extend((!buttons.is_empty()).then(|| json!({"type": "actions", "elements": buttons})));
        Ok(Message { text, blocks })
    }

    /// What of it stands in a thread: the words, under whose they are.
    pub fn reply(&self, heading: &str) -> Result<Message, PlanError> {
        if self.ready.template.is_some() {
            return self.message(heading);
        }
        let facts: Vec<String> = [format!("*{heading}*")].into_iter().chain(self.author()).collect();
        let mut blocks = vec![json!({"type": "context", "elements": [mrkdwn(facts.join("  ·  "))]})];
        let words = excerpt(self.change.item);
        blocks.extend((!words.is_empty()).then(|| section(words)));
        Ok(Message { text: heading.to_owned(), blocks })
    }

    /// What has a title: the item itself, or the feedback it belongs to.
    fn subject(&self) -> Option<&Item> {
        match self.change.item.id.kind() {
            ItemKind::Feedback | ItemKind::Changelog => Some(self.change.item),
            kind if kind.is_child() => self.change.parent,
            _ => None,
        }
    }

    fn facts(&self, subject: Option<&Item>) -> Vec<String> {
        let (item, product) = (self.change.item, self.change.product);
        let mut facts = Vec::new();
        if let Some(subject) = subject.filter(|_| item.id.kind() != ItemKind::Comment) {
            let text = |name| subject.fields.some_text(name);
            facts.extend(text("type").map(|key| slack_line(product.type_label(&key), FACT_CHARS_MAX)));
            facts.extend(text("status").map(|key| slack_line(product.status_label(&key), FACT_CHARS_MAX)));
            facts.extend(votes(subject));
        }
        facts.extend(self.author());
        facts
    }

    fn author(&self) -> Option<String> {
        let item = self.change.item;
        let person = match item.id.kind() {
            ItemKind::User | ItemKind::Subscriber => item.fields.some_text("data_name"),
            _ => item.fields.object("user").some_text("data_name"),
        };
        // A name may be an address, where somebody signed up with nothing else; addresses go nowhere.
        let name = person.filter(|name| self.settings.include_author && !name.contains('@'))?;
        Some(format!("by {}", slack_line(&name, FACT_CHARS_MAX)))
    }

    fn words(&self, subject: Option<&Item>) -> String {
        let item = self.change.item;
        let title = subject.map(|subject| {
            let title = title(subject);
            match view::public_url(subject, self.change.product).filter(|url| url.chars().count() <= URL_CHARS_MAX / 10) {
                Some(url) if !item.deleted => format!("*{}*", slack_link(&url, &title, TITLE_CHARS_MAX)),
                _ => format!("*{}*", slack_line(&title, TITLE_CHARS_MAX)),
            }
        });
        let words = match item.id.kind() {
            _ if item.deleted => String::new(),
            ItemKind::Feedback | ItemKind::Changelog | ItemKind::Comment => excerpt(item),
            ItemKind::Satisfaction => satisfaction(item),
            ItemKind::Vote | ItemKind::Subscription | ItemKind::User | ItemKind::Subscriber => String::new(),
        };
        title.into_iter().chain([words]).filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n")
    }

    fn buttons(&self, subject: Option<&Item>) -> Vec<Value> {
        let page =
            subject.and_then(|subject| view::public_url(subject, self.change.product)).map(|url| (url, "Open in Sleekplan".to_owned()));
        let call = Some(self.change.item).filter(|item| item.id.kind() == ItemKind::Changelog).and_then(button);
        let call = call.map(|button| (button.href, button.label));
        let links = [page, call].into_iter().flatten().filter(|(url, label)| is_address(url) && !label.trim().is_empty());
        links.enumerate().map(|(number, (url, label))| link_button(number, &url, &label)).collect()
    }
}

/// The title on one line; a stand-in where there is none.
fn title(item: &Item) -> String {
    item.fields.some_text("title").unwrap_or_else(|| format!("{} {}", item.id.kind(), item.id.id()))
}

fn votes(item: &Item) -> Option<String> {
    let up = item.fields.integer("total_up")?;
    let down = item.fields.integer("total_down").filter(|down| *down > 0);
    let noun = if up == 1 { "vote" } else { "votes" };
    Some(down.map_or_else(|| format!("{up} {noun}"), |down| format!("{up} {noun}, {down} against")))
}

fn satisfaction(item: &Item) -> String {
    let vote = item.fields.integer("vote").map(|vote| format!("*{vote}*"));
    let comment = item.fields.some_text("comment").map(|text| crate::kit::text::Text::from_plain(&text));
    let comment = comment.map(|text| text.cut_to(Format::Slack, Length::Utf16(EXCERPT_UNITS_MAX), SHORTENED).0);
    vote.into_iter().chain(comment).collect::<Vec<_>>().join("\n")
}

fn excerpt(item: &Item) -> String {
    view::body(item).cut_to(Format::Slack, Length::Utf16(EXCERPT_UNITS_MAX), SHORTENED).0
}

fn fitting(text: &str) -> Result<String, PlanError> {
    let failed = |message: String| Err(PlanError::Template { setting: "template", message });
    match text {
        "" => failed("it gives nothing".to_owned()),
        text if !Length::Utf16(SECTION_UNITS_MAX).holds(text) => {
            failed(format!("it gives more than the {SECTION_UNITS_MAX} characters that a section takes"))
        }
        text => Ok(text.to_owned()),
    }
}

/// `verbatim`: Slack makes no links, channels or names of what looks like some ("Text object").
fn mrkdwn(text: String) -> Value {
    json!({"type": "mrkdwn", "text": text, "verbatim": true})
}

fn section(text: String) -> Value {
    json!({"type": "section", "text": mrkdwn(text)})
}

fn link_button(number: usize, url: &str, label: &str) -> Value {
    // Words for people, in plain text: an address as a label would say where it leads, and need not be true.
    let label = crate::kit::text::line(label, BUTTON_CHARS_MAX);
    let label = if label.contains("://") || label.contains('<') { "Open".to_owned() } else { label };
    json!({"type": "button", "action_id": format!("open-{number}"), "url": url, "text": {"type": "plain_text", "text": label, "emoji": false}})
}

fn is_address(url: &str) -> bool {
    let parsed = url::Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.host_str().is_some());
    parsed && url.len() <= URL_CHARS_MAX && !url.contains(|c: char| c.is_whitespace() || c.is_control())
}

/// What an event is called.
pub(super) fn heading(action: Action) -> &'static str {
    match action {
        Action::ItemCreate => "New feedback",
        Action::ItemUpdate => "Feedback changed",
        Action::ItemDelete => "Feedback deleted",
        Action::CommentCreate => "New comment",
        Action::CommentUpdate => "Comment changed",
        Action::CommentDelete => "Comment deleted",
        Action::VoteCreate => "New vote",
        Action::SubscriptionCreate => "New follower",
        Action::SubscriptionDelete => "A follower less",
        Action::UserCreate => "New user",
        Action::UserUpdate => "User changed",
        Action::UserDelete => "User deleted",
        Action::ChangelogCreate => "New changelog entry",
        Action::ChangelogUpdate => "Changelog entry changed",
        Action::ChangelogSubscribe => "New changelog subscriber",
        Action::SatisfactionCreate => "Satisfaction",
    }
}

/// What an item is called, whatever happened to it last.
pub(super) fn standing(item: &Item) -> &'static str {
    match (item.id.kind(), item.deleted, item.is_public()) {
        (ItemKind::Feedback, true, _) => "Feedback, deleted",
        (ItemKind::Feedback, false, false) => "Feedback, hidden",
        (ItemKind::Feedback, false, true) => "Feedback",
        (ItemKind::Changelog, false, true) => "Changelog",
        (ItemKind::Changelog, ..) => "Changelog, withdrawn",
        (ItemKind::Comment, _, false) => "Private comment",
        (ItemKind::Comment, ..) => "Comment",
        (ItemKind::Vote, ..) => "Vote",
        (ItemKind::Subscription, deleted, _) => {
            if deleted {
                "A follower less"
            } else {
                "New follower"
            }
        }
        (ItemKind::User, deleted, _) => {
            if deleted {
                "User deleted"
            } else {
                "User"
            }
        }
        (ItemKind::Subscriber, ..) => "Changelog subscriber",
        (ItemKind::Satisfaction, ..) => "Satisfaction",
    }
}
