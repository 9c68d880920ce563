//! The requests, and what Ghost's answers mean.

use http::header::{HeaderName, HeaderValue};
use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::plan::{POST, key_tag};
use super::token::token;
use super::{Ghost, Op, Post};
use crate::contract::{Cause, Cx, Failure, Limit, Links, OnRemoteEdit, Preview, RemoteKey, RemoteRef, Request, Response, Time};
use crate::kit::http::{Answer, Stage, authorize, call, json_request, said, with};
use crate::kit::image;

/// The oldest version these requests work with. One that a site does not know any more makes Ghost mail its owner ("API versioning").
const API_VERSION: &str = "v5.0";
/// So many of a post's latest actions are read: all of one second, since that is how exact their times are.
const ACTIONS: &str = "20";

impl Ghost {
    pub(super) fn build(&self, now: Time, method: Method, path: &[&str], query: &[(&str, &str)], body: Option<&Value>) -> Request {
        let path: Vec<&str> = ["ghost", "api", "admin"].iter().chain(path).copied().collect();
        let url = if query.is_empty() { self.ready.base.join(&path) } else { self.ready.base.join_query(&path, query) };
        let mut request = json_request(method, url, body);
        request.headers.insert(HeaderName::from_static("accept-version"), HeaderValue::from_static(API_VERSION));
        authorize(&mut request, "Ghost", &token(&self.ready, now));
        request
    }

    pub(super) async fn call(&self, cx: &Cx<'_>, request: Request, stage: Stage) -> Result<Answer, Failure> {
        call(cx, request, stage, refine).await
    }

    /// A request of a step as a dry run shows it; what is only known then is named by its name.
    pub(super) fn shown(&self, op: &Op, links: &Links) -> Option<Preview> {
        let id = links.id(&POST).unwrap_or("ID");
        let put = |query: &[(&str, &str)], body: Value| {
            self.build(Time::ZERO, Method::PUT, &["posts", id, ""], query, Some(&json!({"posts": [body]})))
        };
        let html = [("source", "html")];
        let request = match op {
            Op::Noted {} => return None,
            Op::UploadImage { source } => {
                self.build(Time::ZERO, Method::POST, &["images", "upload", ""], &[], Some(&json!({"file": source})))
            }
            Op::CreateDraft(post) => self.create(post, links, Time::ZERO),
            Op::UpdatePost(post) => put(&html, with(fields(post, links), json!({"updated_at": "UPDATED_AT"}))),
            Op::Publish { published_at, newsletter } => {
                let query: Vec<(&str, &str)> = newsletter.iter().map(|slug| ("newsletter", slug.as_str())).collect();
                put(&query, json!({"status": "published", "published_at": published_at, "updated_at": "UPDATED_AT"}))
            }
            Op::ConfirmMailing {} => self.build(Time::ZERO, Method::GET, &["posts", id, ""], &[("include", "tags,email")], None),
            Op::Unpublish {} => put(&[], json!({"status": "draft", "updated_at": "UPDATED_AT"})),
            Op::DeletePost {} => self.build(Time::ZERO, Method::DELETE, &["posts", id, ""], &[], None),
        };
        Some(request.preview())
    }

    pub(super) async fn perform(&self, op: &Op, cx: &Cx<'_>) -> Result<Option<RemoteRef>, Failure> {
        match op {
            Op::Noted {} => Ok(None),
            Op::UploadImage { source } => self.upload(source, cx).await,
            Op::CreateDraft(post) => {
                let answer = self.call(cx, self.create(post, cx.links, cx.now), Stage::Create).await?;
                post_ref(&answer).map(Some)
            }
            Op::UpdatePost(post) => self.update(post, cx).await.map(Some),
            Op::Publish { published_at, newsletter } => self.publish(published_at.as_deref(), newsletter.as_deref(), cx).await.map(Some),
            Op::ConfirmMailing {} => self.confirm_mailing(cx).await.map(|()| None),
            Op::Unpublish {} => self.unpublish(cx).await.map(Some),
            Op::DeletePost {} => self.delete(cx).await.map(|()| None),
        }
    }

    fn create(&self, post: &Post, links: &Links, now: Time) -> Request {
        let tags: Vec<Value> = post.tags.iter().map(|name| json!({"name": name})).collect();
        let body = with(fields(post, links), json!({"status": "draft", "tags": tags}));
        self.build(now, Method::POST, &["posts", ""], &[("source", "html")], Some(&json!({"posts": [body]})))
    }

    async fn update(&self, post: &Post, cx: &Cx<'_>) -> Result<RemoteRef, Failure> {
        let known = self.read(cx).await?;
        if self.yields(cx).await? {
            return post_ref(&known);
        }
        let mut body = fields(post, cx.links);
        if let (Some("scheduled"), Value::Object(fields)) = (status(&known), &mut body) {
            // By a person, for a time that Ghost would lose; one in the past it refuses.
            fields.remove("published_at");
        }
        if let Some(tags) = tags(&known, &post.tags) {
            body = with(body, json!({"tags": tags}));
        }
        post_ref(&self.put(cx, &known, &[("source", "html")], body).await?)
    }

    /// Asks first: a post that is published already is neither published nor mailed again, whatever became of an earlier answer.
    async fn publish(&self, published_at: Option<&str>, newsletter: Option<&str>, cx: &Cx<'_>) -> Result<RemoteRef, Failure> {
        let known = self.read(cx).await?;
        let is_mailed = known.json.pointer("/posts/0/email").is_some_and(|email| !email.is_null());
        if status(&known) == Some("published") {
            if newsletter.is_some() && !is_mailed {
                tracing::warn!("the post was published before it could be mailed; its newsletter is not sent");
            }
            return state_ref(&known);
        }
        if status(&known) == Some("scheduled") && self.yields(cx).await? {
            return state_ref(&known);
        }
        let newsletter = newsletter.filter(|_| !is_mailed);
        let query: Vec<(&str, &str)> = newsletter.iter().map(|slug| ("newsletter", *slug)).collect();
        let body = dated(json!({"status": "published"}), published_at);
        let answer = self.put(cx, &known, &query, body).await?;
        match status(&answer) {
            Some("published") => state_ref(&answer),
            other => Err(unexpected(&format!("it was told to publish, and says `{}`", other.unwrap_or_default()))),
        }
    }

    async fn unpublish(&self, cx: &Cx<'_>) -> Result<RemoteRef, Failure> {
        let known = self.read(cx).await?;
        if status(&known) == Some("draft") {
            return state_ref(&known);
        }
        state_ref(&self.put(cx, &known, &[], json!({"status": "draft"})).await?)
    }

    /// Ghost has no trash: what a person wrote into the post is not deleted without being told to.
    async fn delete(&self, cx: &Cx<'_>) -> Result<(), Failure> {
        match self.read(cx).await {
            Err(Failure::Missing { .. }) => return Ok(()),
            known => drop(known?),
        }
        if self.yields(cx).await? {
            return self.unpublish(cx).await.map(drop);
        }
        let request = self.build(cx.now, Method::DELETE, &["posts", id(cx.links)?, ""], &[], None);
        self.call(cx, request, Stage::Delete).await.map(drop)
    }

    pub(super) async fn read(&self, cx: &Cx<'_>) -> Result<Answer, Failure> {
        let request = self.build(cx.now, Method::GET, &["posts", id(cx.links)?, ""], &[("include", "tags,email")], None);
        let answer = self.call(cx, request, Stage::Update).await?;
        answer.text("/posts/0/updated_at")?;
        Ok(answer)
    }

    /// Ghost takes a change only with the `updated_at` it gave last: who saves in between is not overwritten, but looked at again.
    async fn put(&self, cx: &Cx<'_>, known: &Answer, query: &[(&str, &str)], body: Value) -> Result<Answer, Failure> {
        let body = with(body, json!({"updated_at": known.text("/posts/0/updated_at")?}));
        let request = self.build(cx.now, Method::PUT, &["posts", id(cx.links)?, ""], query, Some(&json!({"posts": [body]})));
        self.call(cx, request, Stage::Update).await
    }

    /// Whether a person changed the post and it is to stay so; where a person is to decide, that is a failure.
    async fn yields(&self, cx: &Cx<'_>) -> Result<bool, Failure> {
        if self.settings.on_remote_edit == OnRemoteEdit::Overwrite {
            return Ok(false);
        }
        let Some(at) = self.changed_by_a_person(cx).await? else { return Ok(false) };
        if self.settings.on_remote_edit == OnRemoteEdit::Keep {
            tracing::info!(%at, "a person changed the post at Ghost; on_remote_edit keeps it");
            return Ok(true);
        }
        let cause = format!("a person changed this post at Ghost on {at}; on_remote_edit = \"overwrite\" or \"keep\" decides, or drop it");
        Err(Failure::Rejected { source: Cause::new(cause) })
    }

    /// When a person changed the post after our last write, by Ghost's own history; `None` where the last change is an integration's.
    async fn changed_by_a_person(&self, cx: &Cx<'_>) -> Result<Option<String>, Failure> {
        let filter = format!("resource_id:'{}'", id(cx.links)?);
        let query = [("filter", filter.as_str()), ("order", "created_at desc"), ("limit", ACTIONS)];
        let request = self.build(cx.now, Method::GET, &["actions", ""], &query, None);
        let answer = self.call(cx, request, Stage::Find).await?;
        let text = |action: &Value, name: &str| action.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        // Of one second the last is the one with the highest id: they count up.
        let last = answer.list("/actions")?.iter().max_by_key(|action| (text(action, "created_at"), text(action, "id")));
        Ok(last.filter(|action| text(action, "actor_type") == "user").map(|action| text(action, "created_at")))
    }

    pub(super) async fn look_up(&self, key: &RemoteKey, cx: &Cx<'_>) -> Result<Option<RemoteRef>, Failure> {
        let filter = format!("tags.name:'{}'", key_tag(key));
        // Of several the first: Ghost copies the tags of a post that a person duplicates.
        let query = [("filter", filter.as_str()), ("order", "created_at asc"), ("limit", "1")];
        let request = self.build(cx.now, Method::GET, &["posts", ""], &query, None);
        let answer = self.call(cx, request, Stage::Find).await?;
        if answer.list("/posts")?.is_empty() { Ok(None) } else { post_ref(&answer).map(Some) }
    }

    pub(super) async fn prove(&self, cx: &Cx<'_>) -> Result<(), Failure> {
        let ask = |path: &'static str, query: Vec<(&'static str, String)>| async move {
            let query: Vec<(&str, &str)> = query.iter().map(|(name, value)| (*name, value.as_str())).collect();
            self.call(cx, self.build(cx.now, Method::GET, &[path, ""], &query, None), Stage::Check).await
        };
        let one = || ("limit", "1".to_owned());
        ask("posts", vec![one(), ("fields", "id".to_owned())]).await?.list("/posts")?;
        if self.settings.on_remote_edit != OnRemoteEdit::Overwrite {
            // Without the history nobody can tell whether a person changed a post.
            ask("actions", vec![one()]).await?.list("/actions")?;
        }
        if let Some(slug) = &self.settings.newsletter {
            let answer = ask("newsletters", vec![one(), ("filter", format!("slug:'{slug}'+status:active"))]).await?;
            if answer.list("/newsletters")?.is_empty() {
                return Err(Failure::Rejected { source: Cause::new(format!("there is no active newsletter with the slug `{slug}`")) });
            }
        }
        Ok(())
    }
}

fn id(links: &Links) -> Result<&str, Failure> {
    links.id(&POST).ok_or_else(|| Failure::Missing { source: Cause::new("there is no link to a post") })
}

/// What a post says, images where they are now.
fn fields(post: &Post, links: &Links) -> Value {
    let place = |source: &str| links.id(&image::part(source)).map(str::to_owned);
    let html = image::placed(&post.html, &post.images, place);
    let is_first = |source: &&String| image::placeholder(&post.images, source) == post.feature_image;
    let copied = post.images.iter().find(is_first).map(|source| place(source).unwrap_or_else(|| source.clone()));
    let feature_image = copied.or_else(|| post.feature_image.clone());
    let fields = json!({
        "title": post.title, "html": html, "custom_excerpt": post.excerpt, "canonical_url": post.canonical_url,
        "feature_image": feature_image,
    });
    dated(fields, post.published_at.as_deref())
}

/// With the date of publication, where it is to be set.
fn dated(fields: Value, published_at: Option<&str>) -> Value {
    match published_at {
        Some(published_at) => with(fields, json!({"published_at": published_at})),
        None => fields,
    }
}

/// The tags to send: those the post has, a person's too, and ours; `None` where none of ours is missing. What is sent replaces them all.
fn tags(known: &Answer, wanted: &[String]) -> Option<Vec<Value>> {
    let has: Vec<&Value> = known.json.pointer("/posts/0/tags").and_then(Value::as_array).into_iter().flatten().collect();
    let is_there = |name: &String| {
        has.iter().filter_map(|tag| tag.get("name")?.as_str()).any(|known| known.to_lowercase() == name.trim().to_lowercase())
    };
    let missing: Vec<Value> = wanted.iter().filter(|name| !is_there(name)).map(|name| json!({"name": name})).collect();
    let kept = has.iter().filter_map(|tag| Some(json!({"id": tag.get("id")?})));
    (!missing.is_empty()).then(|| kept.chain(missing.clone()).collect())
}

fn status(answer: &Answer) -> Option<&str> {
    answer.json.pointer("/posts/0/status").and_then(Value::as_str)
}

/// The address of a post, once it has one that readers can open.
fn address(answer: &Answer) -> Option<String> {
    let url = answer.json.pointer("/posts/0/url").and_then(Value::as_str)?;
    (status(answer) == Some("published")).then(|| url.to_owned())
}

fn post_ref(answer: &Answer) -> Result<RemoteRef, Failure> {
    Ok(RemoteRef { id: answer.text("/posts/0/id")?, url: address(answer) })
}

fn state_ref(answer: &Answer) -> Result<RemoteRef, Failure> {
    Ok(RemoteRef { id: answer.text("/posts/0/status")?, url: address(answer) })
}

/// A 2xx that is not what Ghost answers: who knows what happened.
fn unexpected(what: &str) -> Failure {
    Failure::Unknown { retry_after: None, source: Cause::new(format!("the answer is not Ghost's: {what}")) }
}

/// Ghost's own words for what the status alone does not say. Pure.
fn refine(response: &Response) -> Option<Failure> {
    let json: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    let error = |name: &str| json.pointer(&format!("/errors/0/{name}")).and_then(Value::as_str).unwrap_or_default();
    match (response.status, error("type"), error("code")) {
        // Somebody saved between our look and our write: look again.
        (StatusCode::CONFLICT, "UpdateCollisionError", _) => {
            Some(Failure::Transient { retry_after: None, scope: Limit::Item, source: said(response) })
        }
        // A 500 that did nothing: the post stays a draft.
        (_, "EmailError", _) => Some(Failure::Rejected { source: said(response) }),
        (StatusCode::UNAUTHORIZED, _, "INVALID_JWT") if error("message").contains("exp") || error("message").contains("maxAge") => {
            let cause = format!("is this machine's clock right? {}", said(response));
            Some(Failure::Unauthorized { source: Cause::new(cause) })
        }
        _ => None,
    }
}
