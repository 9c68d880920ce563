//! A fake WordPress: posts, terms and media in memory, answering as WordPress 6.1.9 answered where the connector looks.
//!
//! It is asked as a transport, without a socket; what counts in the end is what its posts say. It filters and renders nothing: what it was sent
//! is kept as it came. That the real one does the same with what the connector sends is for `tests/real/wordpress.sh` to show.

use std::collections::BTreeMap;

use http::{HeaderMap, HeaderValue, Method, StatusCode};
use serde_json::{Value, json};

use super::wire::{self, Answers};
use crate::contract::{Request, Response, TransportError};

/// Talks to a fake WordPress.
pub type Wire = wire::Wire<FakeWordPress>;

/// One post.
#[derive(Clone, Debug, Default)]
pub struct Post {
    /// Title, content, date: as last sent.
    pub fields: BTreeMap<String, Value>,
    /// publish, draft, private, trash.
    pub status: String,
    /// Last part of its address.
    pub slug: String,
    /// Ids, by taxonomy.
    pub terms: BTreeMap<String, Vec<u64>>,
    /// Seconds of the day.
    pub modified: u64,
    /// Listings that do not show it yet.
    pub hidden: u32,
    /// What its content was, the newest last.
    pub revisions: Vec<String>,
}

/// The site and what is planned for its answers.
#[derive(Debug, Default)]
pub struct FakeWordPress {
    /// All posts, by id.
    pub posts: BTreeMap<u64, Post>,
    /// Names of terms, by taxonomy and id.
    pub terms: BTreeMap<String, BTreeMap<u64, String>>,
    /// Slugs of the images in the library, by id.
    pub media: BTreeMap<u64, String>,
    /// Whether images come back as something it cannot read.
    pub refuses_images: bool,
    /// What a published post gets for a status.
    pub publishes_as: Option<&'static str>,
    /// Whether posts that are made are not listed so many times.
    pub hides: u32,
    /// Whether credentials get lost on their way.
    pub knows_nobody: bool,
    /// Whether its index says that it takes application passwords.
    pub takes_passwords: bool,
    /// Whether its type of posts keeps no text.
    pub is_textless: bool,
    clock: u64,
    made: u64,
}

/// A status, a body, and how many there are in all.
type Told = (u16, Value, usize);

/// A request as it arrived.
struct Asked {
    method: Method,
    path: String,
    query: BTreeMap<String, String>,
    body: Vec<u8>,
    file: Option<String>,
    is_known: bool,
}

impl Asked {
    fn says(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str)
    }
}

impl Answers for FakeWordPress {
    fn respond(&mut self, request: &Request) -> Result<Response, TransportError> {
        let header = |name: &str| request.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let (status, body, total) = self.act(&Asked {
            is_known: header("authorization").is_some_and(|value| value.starts_with("Basic ")),
            method: request.method.clone(),
            path: request.url.path().to_owned(),
            query: request.url.query_pairs().into_owned().collect(),
            body: request.body.to_vec(),
            file: header("content-disposition"),
        });
        let headers = HeaderMap::from_iter([(http::HeaderName::from_static("x-wp-total"), HeaderValue::from(total))]);
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Ok(Response { status, headers, body: body.to_string().into() })
    }
}

impl Post {
    fn keep_revision(&mut self) {
        let content = self.fields.get("content").and_then(Value::as_str).unwrap_or_default();
        self.revisions.push(content.to_owned());
    }
}

impl FakeWordPress {
    /// Other people write so many posts.
    pub fn others_post(&mut self, count: u64) {
        for _ in 0..count {
            let id = self.next();
            self.posts.insert(id, Post { status: "publish".to_owned(), slug: format!("other-{id}"), ..Post::default() });
        }
    }

    /// A person saves a post in WordPress' editor.
    pub fn person_changes(&mut self, id: u64, status: &str) {
        self.clock += 1;
        if let Some(post) = self.posts.get_mut(&id) {
            post.modified = self.clock;
            status.clone_into(&mut post.status);
            post.keep_revision();
        }
    }

    /// The names of a post's terms.
    pub fn names(&self, id: u64, taxonomy: &str) -> Vec<String> {
        let ids = self.posts.get(&id).and_then(|post| post.terms.get(taxonomy)).cloned().unwrap_or_default();
        ids.iter().filter_map(|id| self.terms.get(taxonomy)?.get(id).cloned()).collect()
    }

    fn next(&mut self) -> u64 {
        self.made += 1;
        self.made
    }

    fn act(&mut self, asked: &Asked) -> Told {
        let parts: Vec<&str> = asked.path.trim_matches('/').split('/').skip(1).collect();
        let sent: Value = serde_json::from_slice(&asked.body).unwrap_or_default();
        match (asked.method.as_str(), parts.as_slice()) {
            ("GET", []) if self.takes_passwords => (200, json!({"authentication": {"application-passwords": {}}}), 0),
            ("GET", []) => (200, json!({"authentication": []}), 0),
            _ if self.knows_nobody || !asked.is_known => refusal(401, "rest_not_logged_in", "You are not currently logged in."),
            ("GET", ["wp", "v2", "users", "me"]) => {
                (200, json!({"id": 1, "capabilities": {"publish_posts": true, "upload_files": true}}), 0)
            }
            ("GET", ["wp", "v2", "types"]) => (
                200,
                json!({"post": kind("posts"), "page": {"rest_base": "pages", "taxonomies": []}, "note": {"rest_base": "notes", "supports": {"title": true}}}),
                0,
            ),
            ("GET", ["wp", "v2", "posts"]) => self.list(asked),
            ("POST", ["wp", "v2", "posts"]) => self.create(&sent),
            ("GET", ["wp", "v2", taxonomy @ ("categories" | "tags")]) => self.list_terms(taxonomy, asked),
            ("POST", ["wp", "v2", taxonomy @ ("categories" | "tags")]) => self.create_term(taxonomy, &sent),
            ("GET", ["wp", "v2", "media"]) => self.list_media(asked),
            ("POST", ["wp", "v2", "media"]) => self.create_media(asked),
            ("DELETE", ["wp", "v2", "media", id]) => {
                self.media.remove(&id.parse().unwrap_or_default());
                (200, json!({"deleted": true}), 0)
            }
            ("GET", ["wp", "v2", "posts", id, "revisions"]) => {
                let kept = self.posts.get(&id.parse().unwrap_or_default()).map(|post| post.revisions.clone()).unwrap_or_default();
                paged(kept.iter().rev().map(|content| json!({"content": {"raw": content}})).collect(), asked)
            }
            (method, ["wp", "v2", "posts", id]) => self.one(method, id.parse().unwrap_or_default(), &sent, asked),
            _ => refusal(404, "rest_no_route", "No route was found matching the URL and request method."),
        }
    }

    fn one(&mut self, method: &str, id: u64, sent: &Value, asked: &Asked) -> Told {
        let Some(post) = self.posts.get_mut(&id) else { return refusal(404, "rest_post_invalid_id", "Invalid post ID.") };
        match method {
            "GET" => {}
            "POST" => self.save(id, sent),
            _ if asked.says("force") == Some("true") => {
                self.posts.remove(&id);
                return (200, json!({"deleted": true}), 0);
            }
            _ if post.status == "trash" => return refusal(410, "rest_already_trashed", "The post has already been deleted."),
            _ => {
                self.clock += 1;
                post.modified = self.clock;
                post.status = "trash".to_owned();
                post.slug.push_str("__trashed");
            }
        }
        self.posts.get(&id).map_or_else(|| (200, Value::Null, 0), |post| (200, show(id, post), 0))
    }

    fn list(&mut self, asked: &Asked) -> Told {
        let statuses: Vec<&str> = asked.says("status").unwrap_or("publish").split(',').collect();
        let slugs: Option<Vec<&str>> = asked.says("slug").map(|slugs| slugs.split(',').collect());
        let mut found: Vec<(u64, &mut Post)> = Vec::new();
        for (id, post) in &mut self.posts {
            let holds =
                |words: &str| post.fields.get("content").is_some_and(|content| content.as_str().unwrap_or_default().contains(words));
            let fits = (statuses.contains(&post.status.as_str()) || (statuses.contains(&"any") && post.status != "trash"))
                && slugs.as_ref().is_none_or(|slugs| slugs.contains(&post.slug.as_str()))
                && asked.says("search").is_none_or(holds);
            if fits {
                found.push((*id, post));
            }
        }
        let shown: Vec<Value> = found.iter().filter(|(_, post)| post.hidden == 0).map(|(id, post)| show(*id, post)).collect();
        found.iter_mut().for_each(|(_, post)| post.hidden = post.hidden.saturating_sub(1));
        paged(shown, asked)
    }

    fn create(&mut self, sent: &Value) -> Told {
        if sent.as_object().is_none_or(|fields| !fields.contains_key("title") && !fields.contains_key("content")) {
            return refusal(400, "empty_content", "Content, title, and excerpt are empty.");
        }
        let id = self.next();
        self.posts.insert(id, Post { status: "draft".to_owned(), hidden: self.hides, ..Post::default() });
        self.save(id, sent);
        // Until somebody changes it, a post was last changed on its date.
        if let Some(post) = self.posts.get_mut(&id) {
            post.modified = 0;
        }
        let mut shown = self.posts.get(&id).map(|post| show(id, post)).unwrap_or_default();
        if let (true, Some(post)) = (self.is_textless, shown.as_object_mut()) {
            post.remove("content");
        }
        (201, shown, 0)
    }

    fn save(&mut self, id: u64, sent: &Value) {
        self.clock += 1;
        let known: BTreeMap<String, Vec<u64>> =
            self.terms.iter().map(|(taxonomy, terms)| (taxonomy.clone(), terms.keys().copied().collect())).collect();
        let Some(post) = self.posts.get_mut(&id) else { return };
        for (name, value) in sent.as_object().into_iter().flatten() {
            match name.as_str() {
                "status" => {
                    let status = value.as_str().unwrap_or_default();
                    if post.status == "trash" && status != "trash" {
                        post.slug = post.slug.trim_end_matches("__trashed").to_owned();
                    }
                    let given = self.publishes_as.filter(|_| status == "publish");
                    given.unwrap_or(status).clone_into(&mut post.status);
                }
                "slug" => value.as_str().unwrap_or_default().clone_into(&mut post.slug),
                "categories" | "tags" => {
                    let ids: Vec<u64> = value.as_array().into_iter().flatten().filter_map(Value::as_u64).collect();
                    let all = ids.iter().all(|id| known.get(name).is_some_and(|known| known.contains(id)));
                    post.terms.insert(name.clone(), if all { ids } else { Vec::new() });
                }
                _ => drop(post.fields.insert(name.clone(), value.clone())),
            }
        }
        post.modified = self.clock;
        if sent.get("title").is_some() || sent.get("content").is_some() {
            post.keep_revision();
        }
        self.make_unique(id);
    }

    /// A post gets another address where that is taken, without a word.
    fn make_unique(&mut self, id: u64) {
        let taken = |posts: &BTreeMap<u64, Post>, slug: &str| posts.iter().any(|(other, post)| *other != id && post.slug == slug);
        let Some(post) = self.posts.get(&id).filter(|post| post.status != "trash") else { return };
        let wanted = post.slug.clone();
        let free = (1_u32..).map(|number| if number == 1 { wanted.clone() } else { format!("{wanted}-{number}") });
        let slug = free.into_iter().find(|slug| !taken(&self.posts, slug)).unwrap_or(wanted);
        if let Some(post) = self.posts.get_mut(&id) {
            post.slug = slug;
        }
    }

    fn list_terms(&self, taxonomy: &str, asked: &Asked) -> Told {
        let of_post = asked.says("post").map(|id| {
            let post = self.posts.get(&id.parse().unwrap_or_default());
            post.and_then(|post| post.terms.get(taxonomy)).cloned().unwrap_or_default()
        });
        let terms = self.terms.get(taxonomy).into_iter().flatten();
        let fits = |id: &u64, name: &str| {
            of_post.as_ref().is_none_or(|ids| ids.contains(id))
                && asked.says("search").is_none_or(|words| name.to_lowercase().contains(&words.to_lowercase()))
        };
        let shown = terms.filter(|(id, name)| fits(id, name)).map(|(id, name)| json!({"id": id, "name": name.replace('&', "&amp;")}));
        paged(shown.collect(), asked)
    }

    fn create_term(&mut self, taxonomy: &str, sent: &Value) -> Told {
        let name = sent.get("name").and_then(Value::as_str).unwrap_or_default().trim().to_owned();
        // Names that differ in their signs alone have one slug.
        let plain = |name: &str| name.chars().filter(|sign| sign.is_alphanumeric()).collect::<String>().to_lowercase();
        let terms = self.terms.entry(taxonomy.to_owned()).or_default();
        if let Some((id, _)) = terms.iter().find(|(_, known)| plain(known) == plain(&name)) {
            let data = json!({"status": 400, "term_id": id});
            return (400, json!({"code": "term_exists", "message": "A term with the name provided already exists.", "data": data}), 0);
        }
        self.made += 1;
        terms.insert(self.made, name);
        (201, json!({"id": self.made}), 0)
    }

    fn list_media(&self, asked: &Asked) -> Told {
        let shown = self.media.iter().filter(|(_, slug)| asked.says("slug") == Some(slug.as_str()));
        paged(shown.map(|(id, slug)| image(*id, slug)).collect(), asked)
    }

    fn create_media(&mut self, asked: &Asked) -> Told {
        if self.refuses_images {
            return refusal(500, "rest_upload_sideload_error", "Sorry, you are not allowed to upload this file type.");
        }
        let name = asked.file.clone().unwrap_or_default();
        let name = name.split_once("filename=\"").map_or("", |(_, rest)| rest).split('.').next().unwrap_or_default().to_owned();
        let twins = self.media.values().filter(|slug| **slug == name).count();
        let slug = if twins == 0 { name } else { format!("{name}-{twins}") };
        let id = self.next();
        self.media.insert(id, slug.clone());
        (201, image(id, &slug), 0)
    }
}

fn kind(base: &str) -> Value {
    json!({"rest_base": base, "taxonomies": ["category", "post_tag"], "capabilities": {"publish_posts": "publish_posts"}})
}

fn image(id: u64, slug: &str) -> Value {
    json!({"id": id, "slug": slug, "source_url": format!("https://blog.example.com/wp-content/uploads/{slug}.png")})
}

fn paged(all: Vec<Value>, asked: &Asked) -> Told {
    let number = |name: &str, usual: usize| asked.says(name).and_then(|text| text.parse().ok()).unwrap_or(usual);
    let (size, page, total) = (number("per_page", 10), number("page", 1), all.len());
    let begin = size * page.saturating_sub(1);
    if page > 1 && begin >= total {
        return refusal(400, "rest_post_invalid_page_number", "The page number requested is larger than the number of pages available.");
    }
    (200, Value::Array(all.into_iter().skip(begin).take(size).collect()), total)
}

fn show(id: u64, post: &Post) -> Value {
    let raw = |name: &str| json!({"raw": post.fields.get(name).cloned().unwrap_or_else(|| json!(""))});
    let (hour, minute, second) = (12 + post.modified / 3600, post.modified / 60 % 60, post.modified % 60);
    let date = post.fields.get("date_gmt").and_then(Value::as_str).unwrap_or("2026-03-03T11:00:00").to_owned();
    let modified = if post.modified == 0 { date.clone() } else { format!("2026-03-03T{hour:02}:{minute:02}:{second:02}") };
    let link = if post.status == "publish" { format!("/{}/", post.slug) } else { format!("/?p={id}") };
    json!({
        "id": id, "status": post.status, "slug": post.slug, "title": raw("title"), "content": raw("content"),
        "date_gmt": date, "modified_gmt": modified, "link": format!("https://blog.example.com{link}"),
    })
}

fn refusal(status: u16, code: &str, message: &str) -> Told {
    (status, json!({"code": code, "message": message, "data": {"status": status}}), 0)
}
