//! What was sent, what the daemon answered for, and what the services must hold in the end.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

/// The workspace of every event.
const PRODUCT: u64 = 5_456_534_244;
/// Time of the first version of everything.
const START: u64 = 1_772_539_200_000;

/// Small random numbers that a seed repeats: SplitMix64.
pub struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % bound
    }
}

/// An item of the fake Sleekplan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Item {
    Feedback(u64),
    Comment { id: u64, feedback: u64 },
    Entry(u64),
}

/// One webhook.
#[derive(Clone, Debug)]
pub struct Event {
    pub item: Item,
    pub version: u64,
    pub body: String,
}

impl Event {
    fn new(item: Item, version: u64) -> Self {
        let text = format!("version {version}");
        let status = if is_done(version) { "done" } else { "open" };
        let (action, data) = match item {
            Item::Feedback(id) => {
                let post =
                    json!({"feedback_id": id.to_string(), "title": text, "description": "Please.", "status": status, "total_up": version});
                match version {
                    1 => ("item.create", post),
                    // A vote brings its post along.
                    _ if version.is_multiple_of(4) => {
                        ("vote.create", json!({"feedback_item": post, "vote": 1, "user": {"user_id": version}}))
                    }
                    _ => ("item.update", post),
                }
            }
            Item::Comment { id, feedback } => (
                if version == 1 { "comment.create" } else { "comment.update" },
                json!({"comment_id": id, "feedback_id": feedback, "comment": text, "public": true}),
            ),
            Item::Entry(id) => (
                if version == 1 { "changelog.create" } else { "changelog.update" },
                json!({"changelog_id": id, "title": text, "description_html": "<p>New.</p>", "draft": false, "enabled": true, "segment": ""}),
            ),
        };
        let body = json!({"product_id": PRODUCT, "action": action, "data": data, "timestamp": (START + version * 1000).to_string()});
        Self { item, version, body: body.to_string() }
    }
}

/// Whether a post of this version is to be a closed issue.
fn is_done(version: u64) -> bool {
    version % 3 == 2
}

/// Everything that was ever sent and answered for.
#[derive(Default)]
pub struct World {
    versions: BTreeMap<Item, u64>,
    /// The newest version of each item that was answered 2xx.
    acknowledged: BTreeMap<Item, u64>,
    /// Number and body of every acknowledged event.
    pub accepted: BTreeMap<u64, String>,
    /// Sent, and not answered: sent again in the next round, until they are.
    pub unanswered: Vec<Event>,
    sent: Vec<Event>,
}

impl World {
    /// A round of new things, changes, comments and repetitions.
    pub fn round(&mut self, dice: &mut Dice) -> Vec<Event> {
        let mut events = std::mem::take(&mut self.unanswered);
        for _ in 0..12 {
            let number = self.versions.len() as u64 + 1;
            events.push(self.next(Item::Feedback(number)));
            let feedback = 1 + dice.below(number);
            if self.versions.contains_key(&Item::Feedback(feedback)) {
                events.push(self.next(Item::Comment { id: self.versions.len() as u64 + 1, feedback }));
            }
        }
        for _ in 0..4 {
            events.push(self.next(Item::Entry(self.versions.len() as u64 + 1)));
        }
        let known: Vec<Item> = self.versions.keys().copied().collect();
        for _ in 0..30 {
            if let Some(item) = known.get(dice.below(known.len() as u64) as usize) {
                events.push(self.next(*item));
            }
        }
        for _ in 0..5 {
            if !self.sent.is_empty() {
                events.push(self.sent[dice.below(self.sent.len() as u64) as usize].clone());
            }
        }
        self.sent.extend(events.iter().cloned());
        // Sleekplan promises no order.
        for at in (1..events.len()).rev() {
            events.swap(at, dice.below(at as u64 + 1) as usize);
        }
        events
    }

    fn next(&mut self, item: Item) -> Event {
        let version = self.versions.entry(item).or_default();
        *version += 1;
        Event::new(item, *version)
    }

    /// The daemon answered 2xx with this number.
    pub fn acknowledge(&mut self, event: &Event, seq: u64) {
        let newest = self.acknowledged.entry(event.item).or_default();
        *newest = event.version.max(*newest);
        let first = self.accepted.entry(seq).or_insert_with(|| event.body.clone());
        assert_eq!(*first, event.body, "two events have the number {seq}");
    }

    pub fn items(&self) -> usize {
        self.acknowledged.len()
    }

    /// What the services do not show in its newest acknowledged version. Nothing twice, whatever happens.
    pub fn owed(&self, tracker: &Value, pages: &Path) -> Vec<Item> {
        let held = Held::of(tracker, pages);
        assert!(held.doubled.is_empty(), "made twice: {:?}", held.doubled);
        let unshown = |(item, version): &(&Item, &u64)| held.shown.get(*item).is_none_or(|shown| shown < *version);
        self.acknowledged.iter().filter(unshown).map(|(item, _)| *item).collect()
    }
}

/// What the services hold.
struct Held {
    shown: BTreeMap<Item, u64>,
    doubled: BTreeSet<Item>,
}

impl Held {
    fn of(tracker: &Value, pages: &Path) -> Self {
        let mut held = Self { shown: BTreeMap::new(), doubled: BTreeSet::new() };
        for issue in tracker["issues"].as_array().unwrap() {
            let feedback = ids(issue["body"].as_str().unwrap(), "feedback").remove(0);
            held.show(Item::Feedback(feedback), issue["title"].as_str().unwrap());
            // Between two steps its state is still that of an earlier version.
            if let Some(version) = held.shown.get_mut(&Item::Feedback(feedback))
                && is_done(*version) != (issue["state"] == "closed")
            {
                *version = 0;
            }
            for comment in issue["comments"].as_object().unwrap().values() {
                let text = comment.as_str().unwrap();
                let id = *ids(text, "comment").last().unwrap();
                held.show(Item::Comment { id, feedback }, text);
            }
        }
        for page in files(pages) {
            let id = page.file_stem().unwrap().to_str().unwrap().strip_prefix("entry-").unwrap().parse().unwrap();
            held.show(Item::Entry(id), &std::fs::read_to_string(&page).unwrap());
        }
        held
    }

    fn show(&mut self, item: Item, text: &str) {
        let version = text.split("version ").nth(1).and_then(|rest| rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok());
        if self.shown.insert(item, version.unwrap_or_else(|| panic!("{item:?} shows no version: {text}"))).is_some() {
            self.doubled.insert(item);
        }
    }
}

/// The numbers in the key of a marker: `sp-PRODUCT-KIND-ID` or `sp-PRODUCT-KIND-PARENT-ID`.
fn ids(text: &str, kind: &str) -> Vec<u64> {
    let (_, rest) = text.rsplit_once(&format!("sp-{PRODUCT}-{kind}-")).unwrap_or_else(|| panic!("no marker: {text}"));
    let key = rest.split(|c: char| !c.is_ascii_digit() && c != '-').next().unwrap();
    key.split('-').map(|id| id.parse().unwrap()).collect()
}

/// All pages, however deep.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(self::files(&path));
        } else if path.extension().is_some_and(|extension| extension == "md") {
            files.push(path);
        }
    }
    files
}
