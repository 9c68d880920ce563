//! Items in the shapes Sleekplan sends (docs page "Webhooks", sample data), for a suite to bring to a connector.

use serde_json::{Value, json};

use crate::contract::{Action, Event, Fields, Item, ItemId, ItemKind, Product, ProductId, Time};

/// The workspace all of them belong to: the vendor's own sample, larger than 32 bits.
const PRODUCT: ProductId = ProductId(5_456_534_244);
/// When everything here happened: 2026-03-03T12:00:00Z.
const AT: Time = Time::from_ms(1_772_539_200_000);

/// One state of an item, as the daemon would bring it to a connector.
#[derive(Clone, Debug)]
pub struct Given {
    /// The item.
    pub item: Item,
    /// The feedback post of a child.
    pub parent: Option<Item>,
    /// The event, for connectors that announce.
    pub event: Option<Event>,
    /// When it is planned.
    pub at: Time,
}

impl Given {
    /// The same item, deleted at Sleekplan.
    #[must_use]
    pub fn deleted(mut self) -> Self {
        self.item.deleted = true;
        self.later()
    }

    /// The same item with other fields, some time later.
    #[must_use]
    pub fn changed(mut self, fields: Value) -> Self {
        if let Value::Object(fields) = fields {
            fields.into_iter().for_each(|(name, value)| self.item.fields.set(&name, value));
        }
        self.later()
    }

    /// With the event that brought it, for connectors that announce.
    #[must_use]
    pub fn announcing(mut self, action: Action) -> Self {
        // Each event has a number of its own; here it hangs on the minute.
        let minutes = self.item.at.since(AT).as_secs() / 60;
        let mut data = self.item.fields.clone();
        data.set("product_id", self.item.id.product().0.into());
        self.event = Some(Event { seq: 7 + minutes, action, at: self.item.at, data });
        self
    }

    fn later(mut self) -> Self {
        let minute = std::time::Duration::from_secs(60);
        self.item.at = self.item.at.plus(minute);
        self.at = self.at.plus(minute);
        self
    }
}

/// What a connector is asked to do, as a rule of the suite needs it: some states to bring first, and the one that counts.
#[derive(Clone, Debug)]
pub struct Case {
    /// For messages and for the names of goldens: `create`, `close`.
    pub name: &'static str,
    /// Delivered before, in order: the post of a comment, the first state of what is then changed.
    pub before: Vec<Given>,
    /// What the rules are tried on.
    pub then: Given,
}

impl Case {
    /// Something new.
    pub fn new(name: &'static str, then: Given) -> Self {
        Self { name, before: Vec::new(), then }
    }

    /// Something that comes after `before`.
    pub fn after(name: &'static str, before: impl IntoIterator<Item = Given>, then: Given) -> Self {
        Self { name, before: before.into_iter().collect(), then }
    }
}

/// The workspace, with a label for the status and the type of [`feedback`] and addresses for its pages.
pub fn product() -> Product {
    let mut product = Product::unconfigured(PRODUCT);
    product.name = "acme".to_owned();
    product.statuses.insert("s68dfa8421c534".to_owned(), "In progress".to_owned());
    product.types.insert("t68df02a7ea223".to_owned(), "Integrations".to_owned());
    product.entry_url = Some("https://acme.sleekplan.app/changelog/{{ entry.id }}".to_owned());
    product.feedback_url = Some("https://acme.sleekplan.app/feedback/{{ feedback.id }}".to_owned());
    product
}

/// A feedback post, with `fields` instead of the usual ones.
pub fn feedback(fields: Value) -> Given {
    let usual = json!({
        "feedback_id": 48121, "title": "Export to CSV", "description": "Please add CSV export.",
        "description_html": "<p>Please add <b>CSV</b> export.</p>", "status": "s68dfa8421c534", "type": "t68df02a7ea223",
        "total_up": "9", "total_down": 1, "total_comments": 2, "effort": 1, "is_active": true, "tags": [],
        "created": "2026-03-01 09:00:00", "updated": "2026-03-02 10:00:00", "user": person(),
    });
    top(ItemKind::Feedback, "feedback_id", usual, fields)
}

/// A changelog entry that is public, with `fields` instead of the usual ones.
pub fn entry(fields: Value) -> Given {
    let usual = json!({
        "changelog_id": 771, "feedback_id": 48121, "title": "CSV export is here", "description": "You can now export a board to CSV.",
        "description_html": "<p>You can now export a board to <b>CSV</b>.</p>", "type": "t68df02a7ea223", "segment": "",
        "settings": {"cta": {"href": "https://example.com", "text": "Try it", "color": "#00b3a4"}}, "files": [],
        "scheduled": false, "draft": false, "enabled": true, "notify": true, "created": "2026-03-03 12:00:00",
    });
    top(ItemKind::Changelog, "changelog_id", usual, fields)
}

/// A public comment on `post`, with `fields` instead of the usual ones.
pub fn comment(post: &Given, fields: Value) -> Given {
    let usual = json!({
        "comment_id": 9001, "comment": "+1 from our team", "comment_html": "<p>+1 from our team</p>", "public": true, "is_active": true,
        "created": "2026-03-02 10:00:00", "updated": "2026-03-02 10:00:00", "user": person(),
    });
    let fields = merged(usual, fields);
    let id = text(&fields, "comment_id");
    let id = ItemId::child(PRODUCT, ItemKind::Comment, post.item.id.id(), &id).expect("an id");
    Given { parent: Some(post.item.clone()), ..given(id, fields) }
}

/// A vote on `post`, with `fields` instead of the usual ones. The post is nested in it, as was observed.
pub fn vote(post: &Given, fields: Value) -> Given {
    let usual = json!({"feedback_item": post.item.fields.as_map(), "vote": 1, "user": person()});
    by_person(ItemKind::Vote, post, merged(usual, fields))
}

/// A person who follows `post`, with `fields` instead of the usual ones.
pub fn subscription(post: &Given, fields: Value) -> Given {
    by_person(ItemKind::Subscription, post, merged(json!({"feedback_id": 48121, "user": person()}), fields))
}

/// A CSAT answer, with `fields` instead of the usual ones.
pub fn satisfaction(fields: Value) -> Given {
    let usual = json!({
        "satisfaction_id": 55, "vote": 5, "data_record": "default", "comment": "Great", "meta": {"referrer": "https://app.example.com"},
        "user": person(), "updated": "2026-03-02 10:00:00",
    });
    top(ItemKind::Satisfaction, "satisfaction_id", usual, fields)
}

/// A person, with `fields` instead of the usual ones.
pub fn user(fields: Value) -> Given {
    top(ItemKind::User, "user_id", person(), fields)
}

/// A person who subscribed to the changelog, with `fields` instead of the usual ones.
pub fn subscriber(fields: Value) -> Given {
    top(ItemKind::Subscriber, "user_id", person(), fields)
}

fn person() -> Value {
    json!({
        "user_id": 884_001, "data_id": "1398", "admin_id": 0, "anonymous": false, "data_name": "janesmith", "data_full_name": "Jane Smith",
        "data_mail": "jane@example.com", "data_img": "https://storage.sleekplan.com/static/image/user.png", "notify": 1,
        "notify_settings": {"mention": true, "changelog": true, "subscribed": true},
    })
}

fn by_person(kind: ItemKind, post: &Given, fields: Fields) -> Given {
    let id = text(&fields.object("user"), "user_id");
    let id = ItemId::child(PRODUCT, kind, post.item.id.id(), &id).expect("an id");
    Given { parent: Some(post.item.clone()), ..given(id, fields) }
}

fn top(kind: ItemKind, id: &str, usual: Value, fields: Value) -> Given {
    let fields = merged(usual, fields);
    let id = ItemId::top(PRODUCT, kind, &text(&fields, id)).expect("an id");
    given(id, fields)
}

fn given(id: ItemId, fields: Fields) -> Given {
    Given { item: Item { id, fields, at: AT, deleted: false }, parent: None, event: None, at: AT }
}

fn merged(usual: Value, instead: Value) -> Fields {
    let mut fields = Fields::from_value(usual);
    if let Value::Object(instead) = instead {
        instead.into_iter().for_each(|(name, value)| fields.set(&name, value));
    }
    fields
}

fn text(fields: &Fields, name: &str) -> String {
    fields.text(name).unwrap_or_default()
}
