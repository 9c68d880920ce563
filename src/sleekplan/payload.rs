//! Sleekplan's webhook bodies: tolerant in, strict out.
//!
//! Ids and counts come as strings or numbers, objects nested or not, timestamps in seconds or milliseconds (docs page "Webhooks"; shapes the
//! page does not show are inferred from the REST objects). Reading is shallow: top-level fields stay raw JSON, so that folding a million
//! events parses no body deeply.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde::de::{MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;
use sleeksync_connectors::contract::{Action, Fields, ItemId, ItemKind, ProductId, Time};

use super::json::{self, Name};

/// 2015-01-01: before it, there was no Sleekplan.
const EARLIEST: Time = Time::from_ms(1_420_070_400_000);
/// How far a sender's clock may be ahead.
const AHEAD_MAX: Duration = Duration::from_secs(300);
/// What lies below is seconds: 1e11 ms is 1973, 1e11 s is the year 5138.
const SECONDS_BELOW: i64 = 100_000_000_000;

/// The field that names the workspace, in the envelope and in the data.
const PRODUCT_ID: &str = "product_id";
/// As many as most of Sleekplan's objects have.
const USUAL_FIELDS: usize = 20;
/// Those of the envelope: product, action and timestamp, and one to spare.
const ENVELOPE_FIELDS: usize = 4;

/// The fields of one JSON object, raw, its top level only: sorted by name, each once. Of repeated names the last counts.
#[derive(Clone, Debug, Default)]
pub struct RawFields<'a>(Arc<Vec<RawField<'a>>>);

#[derive(Debug)]
struct RawField<'a> {
    /// The name's beginning as a number: comparing names is most of what sorting and finding them costs.
    beginning: u64,
    name: Cow<'a, str>,
    value: &'a RawValue,
}

impl<'a> RawField<'a> {
    fn new(name: Cow<'a, str>, value: &'a RawValue) -> Self {
        Self { beginning: beginning(&name), name, value }
    }

    fn compare(&self, beginning: u64, name: &str) -> std::cmp::Ordering {
        self.beginning.cmp(&beginning).then_with(|| self.name.as_ref().cmp(name))
    }
}

/// The first eight bytes, in the order of names.
fn beginning(name: &str) -> u64 {
    let mut bytes = [0; 8];
    bytes.iter_mut().zip(name.bytes()).for_each(|(to, from)| *to = from);
    u64::from_be_bytes(bytes)
}

impl<'a> RawFields<'a> {
    pub(super) fn parse(json: &'a str) -> Option<Self> {
        serde_json::from_str(json).ok()
    }

    fn sorted(mut fields: Vec<RawField<'a>>) -> Self {
        fields.sort_by(|a, b| a.compare(b.beginning, &b.name));
        fields.dedup_by(|later, earlier| {
            let repeated = later.name == earlier.name;
            if repeated {
                earlier.value = later.value;
            }
            repeated
        });
        Self(Arc::new(fields))
    }

    /// Name and value of each.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Cow<'a, str>, &'a str)> + Clone {
        self.0.iter().map(|field| (&field.name, field.value.get()))
    }

    fn get(&self, name: &str) -> Option<&'a str> {
        let beginning = beginning(name);
        let place = self.0.binary_search_by(|field| field.compare(beginning, name)).ok()?;
        self.0.get(place).map(|field| field.value.get())
    }

    /// A string or number as text; `None` where absent, null, empty, or anything else.
    fn scalar(&self, name: &str) -> Option<Cow<'a, str>> {
        let json = self.get(name)?;
        let text = match json::plain(json).or_else(|| json::whole(json)) {
            Some(text) => Cow::Borrowed(text.trim()),
            None => match json::value(json)? {
                Value::String(text) => Cow::Owned(text.trim().to_owned()),
                Value::Number(number) => Cow::Owned(number.to_string()),
                _ => return None,
            },
        };
        Some(text).filter(|text| !text.is_empty())
    }

    fn object(&self, name: &str) -> Option<RawFields<'a>> {
        RawFields::parse(self.get(name)?)
    }

    /// An id; Sleekplan writes 0 where there is none.
    fn id(&self, name: &str) -> Option<Cow<'a, str>> {
        let id = self.scalar(name)?;
        let id = id.strip_suffix(".0").map(|whole| Cow::Owned(whole.to_owned())).unwrap_or(id);
        Some(id).filter(|id| id != "0")
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for RawFields<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = RawFields<'de>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::with_capacity(USUAL_FIELDS);
                while let Some((Name(name), value)) = map.next_entry()? {
                    fields.push(RawField::new(name, value));
                }
                Ok(RawFields::sorted(fields))
            }
        }
        deserializer.deserialize_map(Object)
    }
}

/// A body as Sleekplan sends them: its data is an object, or missing. Read in one pass, data included.
#[derive(Default)]
struct Envelope<'a> {
    /// All but the data.
    fields: RawFields<'a>,
    data: Option<RawFields<'a>>,
}

impl<'de: 'a, 'a> Deserialize<'de> for Envelope<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Envelope<'de>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object whose `data` is one")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let (mut fields, mut data) = (Vec::with_capacity(ENVELOPE_FIELDS), None);
                while let Some(Name(name)) = map.next_key()? {
                    match name.as_ref() {
                        "data" => data = Some(map.next_value()?),
                        _ => fields.push(RawField::new(name, map.next_value()?)),
                    }
                }
                Ok(Envelope { fields: RawFields::sorted(fields), data })
            }
        }
        deserializer.deserialize_map(Object)
    }
}

/// A body, as far as it was understood.
#[derive(Debug)]
pub struct Decoded<'a> {
    /// The envelope's workspace, else the data's.
    pub product: Option<ProductId>,
    /// What happened; else the word that is no action, or nothing.
    pub action: Result<Action, String>,
    /// The envelope's timestamp.
    pub sent_at: Option<Time>,
    /// The body as text.
    pub text: &'a str,
    /// The fields of what the envelope carries, where that is an object.
    pub fields: Option<RawFields<'a>>,
    /// The items it says something about: its own first, then the feedback nested in it.
    pub targets: Vec<Target<'a>>,
}

/// What a body says about one item.
#[derive(Debug)]
pub struct Target<'a> {
    /// Which.
    pub item: ItemId,
    /// Its fields.
    pub fields: RawFields<'a>,
}

impl<'a> Decoded<'a> {
    /// What the envelope carries, as it is written there; the whole body where it carries nothing.
    pub fn data(&self) -> &'a str {
        RawFields::parse(self.text).and_then(|envelope| envelope.get("data")).unwrap_or(self.text)
    }
}

/// A body that is not JSON.
#[derive(Debug, thiserror::Error)]
#[error("the body is not JSON")]
pub struct NotJson;

/// What a body amounts to.
#[derive(Debug, PartialEq, Eq)]
pub enum Shape {
    /// An event that can be delivered.
    Recognised {
        /// Its workspace.
        product: ProductId,
        /// What happened.
        action: Action,
        /// To what.
        item: ItemId,
    },
    /// JSON, but no event we know.
    Unrecognised {
        /// Why, for people.
        reason: String,
    },
}

/// Reads a body.
///
/// # Errors
/// It is not JSON.
pub fn decode(body: &[u8]) -> Result<Decoded<'_>, NotJson> {
    let text = text_of(body)?;
    let Envelope { fields: envelope, data: fields } = envelope_of(text)?;
    let own = fields.clone().unwrap_or_default();
    let product = |fields: &RawFields<'_>| fields.id(PRODUCT_ID)?.parse().ok().map(ProductId);
    let nested = own.object("feedback_item");
    let product = product(&envelope).or_else(|| product(&own)).or_else(|| product(nested.as_ref()?));
    let word = envelope.scalar("action").unwrap_or_default();
    let action = word.parse::<Action>().map_err(|_| word.chars().take(64).collect());
    let targets = match (&action, product) {
        (Ok(action), Some(product)) => targets(*action, product, own, nested),
        _ => Vec::new(),
    };
    Ok(Decoded { product, action, sent_at: sent_at(&envelope), text, fields, targets })
}

fn text_of(body: &[u8]) -> Result<&str, NotJson> {
    std::str::from_utf8(body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)).map_err(|_| NotJson)
}

fn envelope_of(text: &str) -> Result<Envelope<'_>, NotJson> {
    if let Ok(envelope) = serde_json::from_str(text) {
        return Ok(envelope);
    }
    match RawFields::parse(text) {
        Some(fields) => Ok(Envelope { data: fields.get("data").and_then(RawFields::parse), fields }),
        // No object: is it JSON at all? Iterative: depth costs no stack.
        None => serde_json::from_str::<serde::de::IgnoredAny>(text).map(|_| Envelope::default()).map_err(|_| NotJson),
    }
}

/// What a body amounts to.
pub fn shape(decoded: &Decoded<'_>) -> Shape {
    let unrecognised = |reason: String| Shape::Unrecognised { reason };
    let action = match &decoded.action {
        Ok(action) => *action,
        Err(word) if word.is_empty() => return unrecognised("it names no action".to_owned()),
        Err(word) => return unrecognised(format!("`{word}` is no action that is documented")),
    };
    let Some(product) = decoded.product else {
        return unrecognised("it names no product, neither in the envelope nor in the data".to_owned());
    };
    match decoded.targets.first() {
        Some(target) if target.item.kind() == action.kind() => Shape::Recognised { product, action, item: target.item.clone() },
        _ => unrecognised(format!("`data` holds no id of a {}", action.kind())),
    }
}

/// The time an event counts as of: the envelope's where it is believable, else that of receipt.
pub fn effective(sent: Option<Time>, received: Time) -> Time {
    sent.filter(|at| *at >= EARLIEST && *at <= received.plus(AHEAD_MAX)).unwrap_or(received)
}

/// The event's own data, with the `product_id` it was counted to. What has no data has no fields.
pub fn data(body: &[u8], product: Option<ProductId>) -> Fields {
    let Some(own) = text_of(body).and_then(envelope_of).ok().and_then(|envelope| envelope.data) else { return Fields::default() };
    let product = product.map(|product| product.to_string());
    let sent = own.iter().map(|(name, json)| (name.as_ref(), json)).filter(|(name, _)| product.is_none() || *name != PRODUCT_ID);
    let fields = sent.chain(product.as_deref().map(|product| (PRODUCT_ID, product)));
    json::object(fields).map(Fields::from_text).unwrap_or_default()
}

fn sent_at(envelope: &RawFields<'_>) -> Option<Time> {
    let text = envelope.scalar("timestamp")?;
    let Ok(number) = text.parse::<f64>() else { return Time::parse_rfc3339(&text).ok() };
    #[expect(clippy::cast_possible_truncation, reason = "bounded just before")]
    let number = (number.is_finite() && number.abs() < 9.0e15).then_some(number as i64)?;
    Some(Time::from_ms(if number < SECONDS_BELOW { number.saturating_mul(1000) } else { number }))
}

fn targets<'a>(action: Action, product: ProductId, data: RawFields<'a>, nested: Option<RawFields<'a>>) -> Vec<Target<'a>> {
    let nested = nested.and_then(|fields| {
        let id = fields.id("feedback_id")?;
        Some(Target { item: ItemId::top(product, ItemKind::Feedback, &id)?, fields })
    });
    let parent = data.id("feedback_id").or_else(|| nested.as_ref().map(|target| Cow::Owned(target.item.id().to_owned())));
    let top = |kind, id: Option<Cow<'_, str>>| ItemId::top(product, kind, &id?);
    let child = |kind, id: Option<Cow<'_, str>>| ItemId::child(product, kind, parent.as_deref()?, &id?);
    let own = match action.kind() {
        // Observed for votes: the post may be nested for the item events too.
        ItemKind::Feedback if data.id("feedback_id").is_none() => return nested.into_iter().collect(),
        ItemKind::Feedback => top(ItemKind::Feedback, data.id("feedback_id")),
        ItemKind::Comment => child(ItemKind::Comment, data.id("comment_id")),
        kind @ (ItemKind::Vote | ItemKind::Subscription) => child(kind, Some(person(&data).unwrap_or(Cow::Borrowed("anonymous")))),
        kind @ (ItemKind::User | ItemKind::Subscriber) => top(kind, person(&data)),
        ItemKind::Changelog => top(ItemKind::Changelog, data.id("changelog_id")),
        ItemKind::Satisfaction => top(ItemKind::Satisfaction, data.id("satisfaction_id")),
    };
    // A subscriber may be wrapped: then the person's fields are the item's.
    let wrapped = matches!(action.kind(), ItemKind::Subscriber | ItemKind::User) && data.id("user_id").is_none();
    let fields = wrapped.then(|| data.object("user")).flatten().unwrap_or(data);
    own.map(|item| Target { item, fields }).into_iter().chain(nested).collect()
}

/// Who it is about: the id, or for a visitor who only left an address a hash of that.
fn person<'a>(data: &RawFields<'a>) -> Option<Cow<'a, str>> {
    let user = data.object("user").unwrap_or_default();
    let by_id = || data.id("user_id").or_else(|| user.id("user_id"));
    let by_mail = || {
        let mail = ["data_mail", "mail", "email"].iter().find_map(|name| data.scalar(name).or_else(|| user.scalar(name)))?;
        let hash = blake3::hash(mail.to_lowercase().as_bytes()).to_hex();
        Some(Cow::Owned(format!("mail-{}", hash.as_str().get(..16)?)))
    };
    by_id().or_else(by_mail)
}

#[cfg(test)]
mod tests;
