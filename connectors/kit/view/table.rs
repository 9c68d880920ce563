//! The names templates and `when` know, each with Sleekplan's own field and how it is read.
//!
//! Names are Sleekplan's without prefixes (docs pages "REST API", objects, and "Webhooks"): `total_up` is `votes_up`, `data_mail` is
//! `email`. Two would collide without their prefix and keep it: `data_id`, the customer's own id of a person, and `data_record`.

use crate::contract::ItemKind;

/// How a field is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Read {
    /// Ids and words, as text.
    Text,
    /// Whole numbers, however they were sent.
    Whole,
    /// Flags, however they were sent.
    Flag,
    /// A date, as RFC 3339 in UTC; Sleekplan's zoneless ones are of the product's zone.
    Date,
    /// As it was sent: lists, maps and fractions.
    Raw,
}

/// Name for templates, Sleekplan's name, how it is read.
pub(super) type Row = (&'static str, &'static str, Read);

const FEEDBACK: &[Row] = &[
    ("id", "feedback_id", Read::Text),
    ("title", "title", Read::Text),
    ("status", "status", Read::Text),
    ("type", "type", Read::Text),
    ("votes_up", "total_up", Read::Whole),
    ("votes_down", "total_down", Read::Whole),
    ("ratio", "total_ratio", Read::Raw),
    ("comments", "total_comments", Read::Whole),
    ("subscribers", "total_subscriber", Read::Whole),
    ("trend", "trend", Read::Whole),
    ("scoring", "scoring", Read::Raw),
    ("effort", "effort", Read::Whole),
    ("owner_id", "owner_id", Read::Text),
    ("merge_id", "merge_id", Read::Text),
    ("is_active", "is_active", Read::Flag),
    ("notify", "notify", Read::Flag),
    ("tags", "tags", Read::Raw),
    ("estimated", "estimated", Read::Text),
    ("created", "created", Read::Date),
    ("updated", "updated", Read::Date),
];

const COMMENT: &[Row] = &[
    ("id", "comment_id", Read::Text),
    ("feedback_id", "feedback_id", Read::Text),
    ("parent", "parent", Read::Text),
    ("status", "status", Read::Text),
    ("type", "type", Read::Text),
    ("public", "public", Read::Flag),
    ("is_active", "is_active", Read::Flag),
    ("pinned", "pinned", Read::Flag),
    ("modified", "modified", Read::Flag),
    ("likes", "likes", Read::Whole),
    ("files", "files", Read::Raw),
    ("created", "created", Read::Date),
    ("updated", "updated", Read::Date),
];

const VOTE: &[Row] = &[("feedback_id", "feedback_id", Read::Text), ("vote", "vote", Read::Whole), ("created", "created", Read::Date)];

const SUBSCRIPTION: &[Row] = &[("feedback_id", "feedback_id", Read::Text), ("created", "created", Read::Date)];

const ENTRY: &[Row] = &[
    ("id", "changelog_id", Read::Text),
    ("title", "title", Read::Text),
    ("type", "type", Read::Text),
    ("feedback_id", "feedback_id", Read::Text),
    ("segment", "segment", Read::Text),
    ("settings", "settings", Read::Raw),
    ("files", "files", Read::Raw),
    ("draft", "draft", Read::Flag),
    ("scheduled", "scheduled", Read::Flag),
    ("enabled", "enabled", Read::Flag),
    ("announcement", "announcement", Read::Flag),
    ("notify", "notify", Read::Flag),
    ("reactions", "reactions", Read::Flag),
    ("created", "created", Read::Date),
];

pub(super) const PERSON: &[Row] = &[
    ("id", "user_id", Read::Text),
    ("data_id", "data_id", Read::Text),
    ("admin_id", "admin_id", Read::Text),
    ("anonymous", "anonymous", Read::Flag),
    ("name", "data_name", Read::Text),
    ("full_name", "data_full_name", Read::Text),
    ("email", "data_mail", Read::Text),
    ("img", "data_img", Read::Text),
    ("segments", "segments", Read::Raw),
    ("data", "data", Read::Raw),
    ("system", "data_system", Read::Raw),
    ("notify", "notify", Read::Flag),
    ("notify_settings", "notify_settings", Read::Raw),
    ("weight", "weight", Read::Whole),
    ("created", "created", Read::Date),
    ("updated", "updated", Read::Date),
];

const SATISFACTION: &[Row] = &[
    ("id", "satisfaction_id", Read::Text),
    ("vote", "vote", Read::Whole),
    ("data_record", "data_record", Read::Text),
    ("comment", "comment", Read::Text),
    ("meta", "meta", Read::Raw),
    ("updated", "updated", Read::Date),
];

/// The fields that are read.
pub(super) const fn rows(kind: ItemKind) -> &'static [Row] {
    match kind {
        ItemKind::Feedback => FEEDBACK,
        ItemKind::Comment => COMMENT,
        ItemKind::Vote => VOTE,
        ItemKind::Subscription => SUBSCRIPTION,
        ItemKind::Changelog => ENTRY,
        ItemKind::User | ItemKind::Subscriber => PERSON,
        ItemKind::Satisfaction => SATISFACTION,
    }
}

/// The names that are computed: long text, labels, `votes` (up less down), the public address, the person who did it.
pub(super) const fn computed(kind: ItemKind) -> &'static [&'static str] {
    match kind {
        ItemKind::Feedback => &["body", "status_label", "type_label", "votes", "url", "user"],
        ItemKind::Changelog => &["body", "type_label", "url"],
        ItemKind::Comment => &["body", "user"],
        ItemKind::Vote | ItemKind::Subscription | ItemKind::Satisfaction => &["user"],
        ItemKind::User | ItemKind::Subscriber => &[],
    }
}

/// All names of an item of this kind.
pub fn names(kind: ItemKind) -> Vec<&'static str> {
    rows(kind).iter().map(|(name, ..)| *name).chain(computed(kind).iter().copied()).collect()
}

/// The names below one of these; `None` where whatever was sent stands there.
pub(in crate::kit) fn below(name: &str) -> Option<Vec<&'static str>> {
    match name {
        "body" => Some(BODY.to_vec()),
        "user" => Some(PERSON.iter().map(|(name, ..)| *name).collect()),
        _ => None,
    }
}

/// The three forms of a long text.
const BODY: [&str; 3] = ["html", "markdown", "text"];

/// What every template sees of the webhook; all none for a connector that mirrors.
pub(in crate::kit) const EVENT: [&str; 4] = ["action", "at", "seq", "data"];

/// What every template sees of the workspace.
pub(in crate::kit) const PRODUCT: [&str; 2] = ["id", "name"];
