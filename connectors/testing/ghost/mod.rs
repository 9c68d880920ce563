//! A fake Ghost: posts, tags, actions and images in memory, answering as Ghost 6.65 answered where the connector looks.
//!
//! It is asked as a transport, without a socket; what counts in the end is what its posts say. It renders nothing: the HTML it was sent is kept
//! as it came. That the real one does the same with what the connector sends is for `tests/real/ghost.sh` to show.

use std::collections::BTreeMap;

use http::{HeaderMap, Method, StatusCode};
use serde_json::{Value, json};

use super::wire::{self, Answers};
use crate::contract::{Request, Response, TransportError};

/// Talks to a fake Ghost.
pub type Wire = wire::Wire<FakeGhost>;

/// One post.
#[derive(Clone, Debug, Default)]
pub struct Post {
    /// Everything that was sent of it, the newest last.
    pub fields: BTreeMap<String, Value>,
    /// draft or published.
    pub status: String,
    /// Names.
    pub tags: Vec<String>,
    /// Seconds of the day.
    pub updated: u64,
    /// Newsletters it was mailed with.
    pub mails: Vec<String>,
    /// Who changed it, the newest last: `user` or `integration`.
    pub actors: Vec<&'static str>,
}

/// The site and what is planned for its answers.
#[derive(Debug, Default)]
pub struct FakeGhost {
    /// All posts, by id.
    pub posts: BTreeMap<String, Post>,
    /// Sizes of the uploaded images, by address.
    pub images: BTreeMap<String, usize>,
    /// The next changes collide with somebody else's.
    pub collisions: u32,
    /// What it says of mails, where that is not `submitted`: a status and an error.
    pub mailing: Option<(&'static str, &'static str)>,
    clock: u64,
    made: u64,
}

/// A status and a body.
type Told = (u16, Value);

/// A request as it arrived.
struct Asked {
    method: Method,
    path: String,
    query: BTreeMap<String, String>,
    body: Vec<u8>,
}

impl Answers for FakeGhost {
    fn respond(&mut self, request: &Request) -> Result<Response, TransportError> {
        let token = request.headers.get("authorization").and_then(|value| value.to_str().ok()?.strip_prefix("Ghost "));
        let (status, body) = if token.is_some_and(|token| token.split('.').count() == 3) {
            self.act(&Asked {
                method: request.method.clone(),
                path: request.url.path().to_owned(),
                query: request.url.query_pairs().into_owned().collect(),
                body: request.body.to_vec(),
            })
        } else {
            error(401, "UnauthorizedError", "INVALID_JWT", "Invalid token")
        };
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Ok(Response { status, headers: HeaderMap::new(), body: body.into() })
    }
}

impl FakeGhost {
    /// Other people write so many posts.
    pub fn others_post(&mut self, count: u64) {
        for _ in 0..count {
            self.made += 1;
            let id = format!("{:024x}", self.made);
            self.posts.insert(id, Post { status: "published".to_owned(), actors: vec!["user"], ..Post::default() });
        }
    }

    /// A person saves a post in Ghost's editor.
    pub fn person_changes(&mut self, id: &str, status: &str) {
        self.clock += 1;
        if let Some(post) = self.posts.get_mut(id) {
            post.updated = self.clock;
            status.clone_into(&mut post.status);
            post.actors.push("user");
        }
    }

    fn act(&mut self, asked: &Asked) -> Told {
        let path = asked.path.trim_start_matches("/ghost/api/admin/");
        let parts: Vec<&str> = path.trim_end_matches('/').split('/').collect();
        let sent: Value = serde_json::from_slice(&asked.body).unwrap_or_default();
        let fields = sent.pointer("/posts/0").cloned().unwrap_or_default();
        match (asked.method.as_str(), parts.as_slice()) {
            ("GET", ["posts"]) => self.list(asked),
            ("POST", ["posts"]) => self.create(&fields),
            ("GET", ["posts", id]) => self.posts.get(*id).map_or_else(gone, |post| (200, json!({"posts": [self.show(id, post)]}))),
            ("PUT", ["posts", id]) => self.change(id, &fields, asked.query.get("newsletter")),
            ("DELETE", ["posts", id]) => self.posts.remove(*id).map_or_else(gone, |_| (204, Value::Null)),
            ("GET", ["actions"]) => self.actions(asked),
            ("GET", ["newsletters"]) => {
                let known = asked.query.get("filter").is_some_and(|filter| filter.contains("'default-newsletter'"));
                (200, json!({"newsletters": if known { json!([{"slug": "default-newsletter"}]) } else { json!([]) }}))
            }
            ("POST", ["images", "upload"]) => {
                let url = format!("https://blog.example.com/content/images/{}.png", self.images.len());
                self.images.insert(url.clone(), asked.body.len());
                (201, json!({"images": [{"url": url, "ref": null}]}))
            }
            _ => gone(),
        }
    }

    fn list(&self, asked: &Asked) -> Told {
        let filter = asked.query.get("filter").map(String::as_str).unwrap_or_default();
        let tag = filter.strip_prefix("tags.name:'").and_then(|rest| rest.strip_suffix('\''));
        let limit = asked.query.get("limit").and_then(|limit| limit.parse().ok()).unwrap_or(15);
        let fits = |post: &&Post| tag.is_none_or(|tag| post.tags.iter().any(|known| known == tag));
        let shown = self.posts.iter().filter(|(_, post)| fits(post)).take(limit).map(|(id, post)| self.show(id, post));
        (200, json!({"posts": shown.collect::<Vec<_>>()}))
    }

    fn create(&mut self, fields: &Value) -> Told {
        if fields.get("title").and_then(Value::as_str).is_none() {
            return error(422, "ValidationError", "", "Validation error, cannot save post.");
        }
        self.made += 1;
        let id = format!("{:024x}", self.made);
        self.posts.insert(id.clone(), Post { status: "draft".to_owned(), ..Post::default() });
        self.save(&id, fields);
        (201, json!({"posts": [self.posts.get(&id).map(|post| self.show(&id, post))]}))
    }

    fn change(&mut self, id: &str, fields: &Value, newsletter: Option<&String>) -> Told {
        let Some(post) = self.posts.get_mut(id) else { return gone() };
        let Some(updated_at) = fields.get("updated_at").and_then(Value::as_str) else {
            return error(422, "ValidationError", "", "Validation error, cannot edit post.");
        };
        if self.collisions > 0 || updated_at != time(post.updated) {
            self.collisions = self.collisions.saturating_sub(1);
            return error(409, "UpdateCollisionError", "UPDATE_COLLISION", "Saving failed! Someone else is editing this post.");
        }
        let publishes = post.status == "draft" && fields.get("status").is_some_and(|status| status == "published");
        if let Some(newsletter) = newsletter.filter(|_| publishes) {
            if newsletter != "default-newsletter" {
                return error(500, "EmailError", "", "Error sending email!");
            }
            if post.mails.is_empty() {
                post.mails.push(newsletter.clone());
            }
        }
        self.save(id, fields);
        (200, json!({"posts": [self.posts.get(id).map(|post| self.show(id, post))]}))
    }

    fn save(&mut self, id: &str, fields: &Value) {
        self.clock += 1;
        let Some(post) = self.posts.get_mut(id) else { return };
        let named = |tag: &Value| tag.get("name").or(tag.get("id")).and_then(Value::as_str).map(str::to_owned);
        for (name, value) in fields.as_object().into_iter().flatten() {
            match name.as_str() {
                "status" => value.as_str().unwrap_or_default().clone_into(&mut post.status),
                "tags" => post.tags = value.as_array().into_iter().flatten().filter_map(named).collect(),
                _ => drop(post.fields.insert(name.clone(), value.clone())),
            }
        }
        post.updated = self.clock;
        post.actors.push("integration");
    }

    fn actions(&self, asked: &Asked) -> Told {
        let filter = asked.query.get("filter").map(String::as_str).unwrap_or_default();
        let of = self.posts.iter().find(|(id, _)| filter.contains(id.as_str())).map(|(_, post)| post.actors.clone()).unwrap_or_default();
        // All in one second, in no order: as the real one answers.
        let shown = of.iter().enumerate().map(|(number, actor)| {
            json!({"id": format!("{number:024x}"), "actor_type": actor, "event": "edited", "created_at": "2026-03-03T12:00:00.000Z"})
        });
        (200, json!({"actions": shown.collect::<Vec<_>>()}))
    }

    fn show(&self, id: &str, post: &Post) -> Value {
        let tags: Vec<Value> = post.tags.iter().map(|name| json!({"id": name, "name": name})).collect();
        let place = if post.status == "published" { "" } else { "p/" };
        let (status, error) = self.mailing.unwrap_or(("submitted", ""));
        let email = if post.mails.is_empty() { Value::Null } else { json!({"status": status, "error": error}) };
        json!({
            "id": id, "status": post.status, "updated_at": time(post.updated), "url": format!("https://blog.example.com/{place}{id}/"),
            "tags": tags, "email": email,
        })
    }
}

fn time(second: u64) -> String {
    format!("2026-03-03T12:{:02}:{:02}.000Z", second / 60, second % 60)
}

fn gone() -> Told {
    error(404, "NotFoundError", "", "Resource not found error, cannot read post.")
}

fn error(status: u16, kind: &str, code: &str, message: &str) -> Told {
    (status, json!({"errors": [{"message": message, "context": null, "type": kind, "code": code}]}))
}
