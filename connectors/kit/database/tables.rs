//! The tables, once for all databases: their columns are Sleekplan's fields under their own names.

use crate::contract::ItemKind;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// A text of any length.
    Text,
    /// A short text that is searched for: a status, a slug.
    Word,
    /// An id: always text, since Sleekplan sends the same one as a number and as a string.
    Id,
    /// A whole number.
    Integer,
    /// Any number.
    Real,
    /// A flag.
    Flag,
    /// A point in time.
    Time,
    /// Anything, as JSON.
    Json,
}

/// Where a column's value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The field of the same name.
    Field,
    /// The first of these that holds something.
    First(&'static [&'static str]),
    /// The id of the nested `user`.
    UserId,
    /// The label that the configuration has for the status.
    StatusLabel,
    /// The label that the configuration has for the type.
    TypeLabel,
}

/// One column.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Its name: Sleekplan's field.
    pub name: &'static str,
    /// What it holds.
    pub kind: Type,
    /// Where that comes from.
    pub source: Source,
    /// Whether it says who a person is: emptied when that person is deleted.
    pub personal: bool,
}

/// One kind of item.
#[derive(Clone, Copy, Debug)]
pub struct Table {
    /// What it holds.
    pub kind: ItemKind,
    /// Its name.
    pub name: &'static str,
    /// The ids behind `product_id` that make the key.
    pub key: &'static [&'static str],
    /// Its further columns, those that every table has excepted.
    pub columns: &'static [Column],
    /// What is searched for, beside the key.
    pub indexes: &'static [&'static [&'static str]],
}

impl Table {
    /// The table of a kind of item.
    pub fn of(kind: ItemKind) -> &'static Table {
        TABLES.iter().find(|table| table.kind == kind).unwrap_or(&FEEDBACK)
    }

    /// Whether rows say by `user_id` who stands in them.
    pub fn names_person(&self) -> bool {
        self.key.contains(&PERSON_ID) || self.columns.iter().any(|column| column.name == PERSON_ID)
    }

    /// Whether a row is about a person, not about what one wrote.
    pub fn is_person(&self) -> bool {
        matches!(self.kind, ItemKind::User | ItemKind::Subscriber)
    }
}

/// The column that says who.
pub const PERSON_ID: &str = "user_id";

const fn field(name: &'static str, kind: Type) -> Column {
    Column { name, kind, source: Source::Field, personal: false }
}

const fn from(name: &'static str, kind: Type, source: Source) -> Column {
    Column { name, kind, source, personal: false }
}

const fn personal(name: &'static str, kind: Type) -> Column {
    Column { name, kind, source: Source::Field, personal: true }
}

const FEEDBACK: Table = Table {
    kind: ItemKind::Feedback,
    name: "feedback",
    key: &["feedback_id"],
    columns: &[
        field("title", Type::Text),
        field("description", Type::Text),
        field("description_html", Type::Text),
        field("status", Type::Word),
        from("status_label", Type::Word, Source::StatusLabel),
        field("type", Type::Word),
        from("type_label", Type::Word, Source::TypeLabel),
        field("trend", Type::Real),
        field("total_up", Type::Integer),
        field("total_down", Type::Integer),
        field("total_sum", Type::Integer),
        field("total_comments", Type::Integer),
        field("total_ratio", Type::Real),
        field("total_subscriber", Type::Integer),
        field("scoring", Type::Real),
        field("effort", Type::Integer),
        field("owner_id", Type::Id),
        field("merge_id", Type::Id),
        field("is_active", Type::Flag),
        field("tags", Type::Json),
        field("estimated", Type::Word),
        from("user_id", Type::Id, Source::UserId),
        field("created", Type::Time),
        field("updated", Type::Time),
    ],
    indexes: &[&["product_id", "status"], &["product_id", "type"], &["product_id", "user_id"], &["created"]],
};

const COMMENTS: Table = Table {
    kind: ItemKind::Comment,
    name: "comments",
    key: &["feedback_id", "comment_id"],
    columns: &[
        // Its name in webhooks is uncertain: three were seen.
        from("comment", Type::Text, Source::First(&["comment", "value", "text"])),
        field("comment_html", Type::Text),
        field("parent", Type::Id),
        field("status", Type::Word),
        field("type", Type::Word),
        field("modified", Type::Flag),
        field("files", Type::Json),
        field("pinned", Type::Flag),
        field("public", Type::Flag),
        field("is_active", Type::Flag),
        field("likes", Type::Integer),
        field("child_count", Type::Integer),
        from("user_id", Type::Id, Source::UserId),
        field("created", Type::Time),
        field("updated", Type::Time),
    ],
    indexes: &[&["product_id", "user_id"], &["created"]],
};

const VOTES: Table = Table {
    kind: ItemKind::Vote,
    name: "votes",
    key: &["feedback_id", "user_id"],
    columns: &[field("vote", Type::Integer), field("created", Type::Time)],
    indexes: &[&["product_id", "user_id"], &["created"]],
};

const SUBSCRIPTIONS: Table = Table {
    kind: ItemKind::Subscription,
    name: "subscriptions",
    key: &["feedback_id", "user_id"],
    columns: &[field("created", Type::Time)],
    indexes: &[&["product_id", "user_id"]],
};

const PERSON: &[Column] = &[
    personal("data_id", Type::Word),
    personal("data_name", Type::Text),
    personal("data_full_name", Type::Text),
    personal("data_mail", Type::Word),
    personal("data_img", Type::Text),
    personal("segments", Type::Json),
    personal("data", Type::Json),
    personal("data_system", Type::Json),
    field("admin_id", Type::Id),
    field("anonymous", Type::Flag),
    field("notify", Type::Flag),
    field("notify_settings", Type::Json),
    field("weight", Type::Real),
    field("stats_feedback", Type::Integer),
    field("stats_votes", Type::Integer),
    field("stats_comments", Type::Integer),
    field("created", Type::Time),
    field("updated", Type::Time),
];

const USERS: Table = Table {
    kind: ItemKind::User,
    name: "users",
    key: &["user_id"],
    columns: PERSON,
    indexes: &[&["product_id", "data_mail"], &["product_id", "data_id"]],
};

const SUBSCRIBERS: Table =
    Table { kind: ItemKind::Subscriber, name: "subscribers", key: &["user_id"], columns: PERSON, indexes: &[&["product_id", "data_mail"]] };

const ENTRIES: Table = Table {
    kind: ItemKind::Changelog,
    name: "entries",
    key: &["changelog_id"],
    columns: &[
        field("feedback_id", Type::Id),
        field("title", Type::Text),
        field("description", Type::Text),
        field("description_html", Type::Text),
        field("type", Type::Word),
        from("type_label", Type::Word, Source::TypeLabel),
        field("segment", Type::Word),
        field("settings", Type::Json),
        field("files", Type::Json),
        field("draft", Type::Flag),
        field("scheduled", Type::Flag),
        field("enabled", Type::Flag),
        field("announcement", Type::Flag),
        field("notify", Type::Flag),
        field("stats", Type::Json),
        field("created", Type::Time),
    ],
    indexes: &[&["product_id", "feedback_id"], &["created"]],
};

const SATISFACTION: Table = Table {
    kind: ItemKind::Satisfaction,
    name: "satisfaction",
    key: &["satisfaction_id"],
    columns: &[
        field("vote", Type::Integer),
        field("data_record", Type::Word),
        field("comment", Type::Text),
        field("meta", Type::Json),
        from("user_id", Type::Id, Source::UserId),
        field("created", Type::Time),
        field("updated", Type::Time),
    ],
    indexes: &[&["product_id", "user_id"], &["updated"]],
};

/// All of them.
pub const TABLES: &[Table] = &[FEEDBACK, COMMENTS, VOTES, SUBSCRIPTIONS, USERS, ENTRIES, SUBSCRIBERS, SATISFACTION];
