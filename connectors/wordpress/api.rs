//! The requests, and what is done with WordPress' answers.

use http::Method;
use serde_json::{Value, json};

use super::known::{Known, post_id, write_comment};
use super::media::placed;
use super::plan::{POST, STATE};
use super::refusal::{refine, refine_post, refine_text};
use super::terms::Wanted;
use super::{Op, Post, WordPress};
use crate::contract::{Cause, Cx, Failure, Hash, Links, OnRemoteEdit, Preview, RemoteKey, RemoteRef, Request};
use crate::kit::http::{Answer, Stage, basic, call, json_request, with};
use crate::kit::image;

/// Every status, those of plugins too: a listing shows published posts alone unless it is asked for the others.
const STATUSES: &str = "any,trash";
pub(super) const DRAFT: &str = "draft";
pub(super) const TRASH: &str = "trash";
/// What a post has in an editor's eyes.
pub(super) const TEXT: &str = "id, status, modified_gmt and content/raw";
/// The most a page of a listing holds.
const PAGE: usize = 100;
/// What an editor sees: the text as it was written, and posts that are not published.
pub(super) const EDIT: (&str, &str) = ("context", "edit");

impl WordPress {
    pub(super) fn build(&self, method: Method, path: &[&str], query: &[(&str, &str)], body: Option<&Value>) -> Request {
        let path: Vec<&str> = ["wp-json", "wp", "v2"].iter().chain(path).copied().collect();
        let url = if query.is_empty() { self.ready.base.join(&path) } else { self.ready.base.join_query(&path, query) };
        let mut request = json_request(method, url, body);
        basic(&mut request, &self.settings.username, &self.settings.application_password);
        request
    }

    pub(super) async fn call(&self, cx: &Cx<'_>, request: Request, stage: Stage) -> Result<Answer, Failure> {
        call(cx, request, stage, refine).await
    }

    /// A request of a step as a dry run shows it; what is only known then is named by its name.
    pub(super) fn shown(&self, op: &Op, links: &Links) -> Option<Preview> {
        let posts = self.settings.post_type.as_str();
        let id = post_id(links).unwrap_or("ID");
        let post = |body: Value| self.build(Method::POST, &[posts, id], &[], Some(&body));
        let terms = |post: &Post| json!({"categories": post.categories, "tags": post.tags});
        let request = match op {
            Op::Noted {} => return None,
            Op::UploadImage { source } => self.build(Method::POST, &["media"], &[], Some(&json!({"file": source}))),
            Op::CreateDraft(new) => {
                let body = with(with(fields(new, links), draft(new)), terms(new));
                self.build(Method::POST, &[posts], &[], Some(&body))
            }
            Op::UpdatePost { post: known, .. } => post(with(fields(known, links), terms(known))),
            Op::Publish { status, date_gmt, .. } => post(json!({"status": status, "date_gmt": date_gmt, "content": "CONTENT"})),
            Op::Unpublish {} => post(json!({"status": DRAFT, "content": "CONTENT"})),
            Op::TrashPost {} => self.build(Method::DELETE, &[posts, id], &[], None),
            Op::DeletePost {} => self.build(Method::DELETE, &[posts, id], &[("force", "true")], None),
        };
        Some(request.preview())
    }

    pub(super) async fn perform(&self, op: &Op, cx: &Cx<'_>) -> Result<Option<RemoteRef>, Failure> {
        match op {
            Op::Noted {} => Ok(None),
            Op::UploadImage { source } => self.upload(source, cx).await,
            Op::CreateDraft(post) => self.create(post, cx).await.map(Some),
            Op::UpdatePost { post, restore } => self.update(post, *restore, cx).await,
            Op::Publish { status, date_gmt, restore } => self.publish(status, date_gmt.as_deref(), *restore, cx).await,
            Op::Unpublish {} => self.unpublish(cx).await,
            Op::TrashPost {} => self.trash(cx).await,
            Op::DeletePost {} => self.delete(cx).await,
        }
    }

    /// Looks for a post with the entry's key first, which may lie in the trash, and once more afterwards: WordPress refuses no second one, but
    /// gives it another address.
    async fn create(&self, post: &Post, cx: &Cx<'_>) -> Result<RemoteRef, Failure> {
        let by_key = ("search", post.key.signed());
        if let Some(known) = self.list((by_key.0, &by_key.1), &post.key, cx).await?.first() {
            return self.adopt(known, post, cx).await;
        }
        let mut body = with(fields(post, cx.links), draft(post));
        for wanted in taxonomies(post) {
            if let Some(ids) = self.terms(&wanted, None, cx).await? {
                body = with(body, json!({wanted.taxonomy: ids}));
            }
        }
        let request = self.build(Method::POST, &[&self.settings.post_type], &[], Some(&body));
        let answer = call(cx, request, Stage::Create, refine_text).await?;
        let id = answer.text("/id")?;
        let Some(made) = Known::read(&answer.json).filter(|made| made.carries(&post.key)) else {
            return Err(self.keyless(&id, cx).await);
        };
        // From here on there is a post, whatever the next answers are. By its address too: a search can be a plugin's.
        let mut own = self.list((by_key.0, &by_key.1), &post.key, cx).await.map_err(unknown)?;
        own.extend(self.list(("slug", &format!("{0},{0}__trashed", post.slug)), &post.key, cx).await.map_err(unknown)?);
        match own.iter().min_by_key(|known| known.id).filter(|first| first.id < made.id) {
            Some(first) => {
                self.remove(made.id, cx).await.map_err(unknown)?;
                self.adopt(first, post, cx).await.map_err(unknown)
            }
            None => Ok(made.post_ref(true)),
        }
    }

    /// A post that keeps no key would be made again and again: it is taken away.
    async fn keyless(&self, id: &str, cx: &Cx<'_>) -> Failure {
        let request = self.build(Method::DELETE, &[&self.settings.post_type, id], &[("force", "true")], None);
        let left = match self.call(cx, request, Stage::Delete).await {
            Ok(_) => String::new(),
            Err(failure) => format!("; post {id} could not be removed: {}", failure.cause()),
        };
        Failure::Rejected { source: Cause::new(format!("{}{left}", textless(&self.settings.post_type))) }
    }

    /// A post that carries the entry's key, and no link knew of.
    async fn adopt(&self, known: &Known, post: &Post, cx: &Cx<'_>) -> Result<RemoteRef, Failure> {
        // Nobody loses what lies in the trash.
        if !known.is_trashed() {
            if self.is_our_write(known, &write(post, cx.links), cx).await? {
                return Ok(known.post_ref(true));
            }
            if self.is_left(known)? {
                return Ok(known.post_ref(false));
            }
        }
        self.write(known, post, cx).await
    }

    async fn update(&self, post: &Post, restore: bool, cx: &Cx<'_>) -> Result<Option<RemoteRef>, Failure> {
        let known = self.present(restore, cx).await?;
        // Its answer was lost.
        if self.is_our_write(&known, &write(post, cx.links), cx).await? {
            return Ok(Some(known.post_ref(true)));
        }
        // The link keeps the time of our last write: what a person wrote stays theirs.
        if !known.is_ours(cx.links) && self.is_left(&known)? {
            return Ok(None);
        }
        self.write(&known, post, cx).await.map(Some)
    }

    async fn write(&self, known: &Known, post: &Post, cx: &Cx<'_>) -> Result<RemoteRef, Failure> {
        let mut body = fields(post, cx.links);
        for wanted in taxonomies(post) {
            if let Some(ids) = self.terms(&wanted, Some(&known.id.to_string()), cx).await? {
                body = with(body, json!({wanted.taxonomy: ids}));
            }
        }
        if known.is_trashed() {
            // With its old address again.
            body = with(body, json!({"status": "draft"}));
        }
        Ok(self.save(known, &body, cx).await?.post_ref(true))
    }

    /// Whether a post is as we left it: by its time, or by a write of this status whose answer was lost.
    pub(super) async fn is_ours(&self, known: &Known, status: &str, cx: &Cx<'_>) -> Result<bool, Failure> {
        if known.is_ours(cx.links) {
            return Ok(true);
        }
        self.is_our_write(known, &status_write(status, cx.links), cx).await
    }

    /// Whether this write of ours was the last one: its comment stands in the post, and not in the revision before. Where WordPress keeps no
    /// revisions the comment has to do.
    async fn is_our_write(&self, known: &Known, write: &Hash, cx: &Cx<'_>) -> Result<bool, Failure> {
        if !known.is_written(write) {
            return Ok(false);
        }
        let id = known.id.to_string();
        let path = [self.settings.post_type.as_str(), &id, "revisions"];
        let request = self.build(Method::GET, &path, &[EDIT, ("per_page", "2")], None);
        let before = match self.call(cx, request, Stage::Find).await {
            Ok(answer) => answer.json.pointer("/1/content/raw").and_then(Value::as_str).map(str::to_owned),
            Err(Failure::Unauthorized { .. } | Failure::Rejected { .. }) => None,
            Err(failure) => return Err(failure),
        };
        Ok(before.is_none_or(|before| !before.contains(&write_comment(write))))
    }

    /// Whether what a person changed stays as it is; a failure where a person is to decide.
    pub(super) fn is_left(&self, known: &Known) -> Result<bool, Failure> {
        match self.settings.on_remote_edit {
            OnRemoteEdit::Overwrite => Ok(false),
            OnRemoteEdit::Keep => {
                tracing::info!(post = known.id, "a person changed the post at WordPress; on_remote_edit keeps it");
                Ok(true)
            }
            OnRemoteEdit::Park => {
                let cause = format!(
                    "a person changed post {} at WordPress (or a plugin) on {}Z; on_remote_edit = \"overwrite\" or \"keep\" decides, or drop it",
                    known.id, known.modified
                );
                Err(Failure::Rejected { source: Cause::new(cause) })
            }
        }
    }

    /// The post, where it is to be changed: what lies in the trash is there only for who put it there.
    pub(super) async fn present(&self, restore: bool, cx: &Cx<'_>) -> Result<Known, Failure> {
        match self.read(cx).await? {
            Some(known) if restore || !known.is_trashed() => Ok(known),
            Some(known) => Err(missing(&format!("post {} was put into the trash at WordPress", known.id))),
            None => Err(missing("the post was deleted at WordPress")),
        }
    }

    /// The post as it stands; `None` where it was deleted.
    pub(super) async fn read(&self, cx: &Cx<'_>) -> Result<Option<Known>, Failure> {
        let id = post_id(cx.links).ok_or_else(|| missing("there is no link to a post"))?;
        let request = self.build(Method::GET, &[&self.settings.post_type, id], &[EDIT], None);
        match call(cx, request, Stage::Update, refine_post).await {
            Ok(answer) => Known::read(&answer.json).ok_or_else(|| answer.lacks(TEXT)).map(Some),
            Err(Failure::Missing { .. }) => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    pub(super) async fn save(&self, known: &Known, body: &Value, cx: &Cx<'_>) -> Result<Known, Failure> {
        let request = self.build(Method::POST, &[&self.settings.post_type, &known.id.to_string()], &[], Some(body));
        let answer = call(cx, request, Stage::Update, refine_text).await?;
        Known::read(&answer.json).ok_or_else(|| answer.lacks(TEXT))
    }

    /// All posts that carry `key`, the oldest first: of several that one counts, since people duplicate posts with all that is in them.
    async fn list(&self, which: (&str, &str), key: &RemoteKey, cx: &Cx<'_>) -> Result<Vec<Known>, Failure> {
        let query = [which, ("status", STATUSES), EDIT, ("orderby", "id"), ("order", "asc")];
        let rows = self.all(&self.settings.post_type, &query, cx).await?;
        let known = rows.iter().map(|row| Known::read(row).ok_or_else(|| unreadable(TEXT))).collect::<Result<Vec<_>, _>>()?;
        Ok(known.into_iter().filter(|known| known.carries(key)).collect())
    }

    /// Everything of a listing, page by page.
    pub(super) async fn all(&self, path: &str, which: &[(&str, &str)], cx: &Cx<'_>) -> Result<Vec<Value>, Failure> {
        let (mut all, per_page) = (Vec::new(), PAGE.to_string());
        for page in 1_usize.. {
            let number = page.to_string();
            let paging = [("per_page", per_page.as_str()), ("page", number.as_str())];
            let query: Vec<(&str, &str)> = which.iter().copied().chain(paging).collect();
            let answer = self.call(cx, self.build(Method::GET, &[path], &query, None), Stage::Find).await?;
            let rows = answer.list("")?;
            let total = answer.headers.get("x-wp-total").and_then(|value| value.to_str().ok()?.parse().ok());
            all.extend_from_slice(rows);
            // A page beyond the end would be an error (`rest_post_invalid_page_number`), not an empty list.
            if total.map_or(rows.len() < PAGE, |total: usize| page * PAGE >= total) {
                break;
            }
        }
        Ok(all)
    }

    pub(super) async fn look_up(&self, key: &RemoteKey, cx: &Cx<'_>) -> Result<Option<RemoteRef>, Failure> {
        let own = self.list(("search", &key.signed()), key, cx).await?;
        // Who came after the lost create is told by the time: until then it is the date that was given.
        Ok(own.first().map(|known| known.post_ref(known.is_untouched())))
    }
}

/// Why a post cannot be found again.
pub(super) fn textless(post_type: &str) -> String {
    format!("posts of `{post_type}` keep no text (`editor`), or a plugin strips comments from it: the entry's key would be lost")
}

fn missing(what: &str) -> Failure {
    Failure::Missing { source: Cause::new(what) }
}

fn unknown(failure: Failure) -> Failure {
    Failure::Unknown { retry_after: None, source: failure.cause().clone() }
}

fn unreadable(lacks: &str) -> Failure {
    Failure::Unknown { retry_after: None, source: Cause::new(format!("a listing with a post without {lacks}")) }
}

/// The same of a status.
pub(super) fn status_write(status: &str, links: &Links) -> Hash {
    Hash::of_json(&(status, links.id(&POST), links.id(&STATE)))
}

/// The hash of a write: of all that is sent, and of the links it is made upon, which a write that is known to have succeeded changes.
fn write(post: &Post, links: &Links) -> Hash {
    let places: Vec<Option<&str>> = post.images.iter().map(|source| placed(links, source).map(|(_, address)| address)).collect();
    Hash::of_json(&(post, places, links.id(&POST), links.id(&STATE)))
}

/// What a post says, images where they are now. A block of HTML is left alone by WordPress and its editor.
fn fields(post: &Post, links: &Links) -> Value {
    let html = image::placed(&post.html, &post.images, |source| placed(links, source).map(|(_, address)| address.to_owned()));
    let comments = format!("{}{}", post.key.marker(), write_comment(&write(post, links)));
    let content = format!("<!-- wp:html -->\n{comments}\n{html}\n<!-- /wp:html -->");
    let mut fields = json!({"title": post.title, "content": content});
    if let Some(date_gmt) = &post.date_gmt {
        fields = with(fields, json!({"date_gmt": date_gmt}));
    }
    match post.featured_image.as_deref().and_then(|source| placed(links, source)) {
        Some((id, _)) => with(fields, json!({"featured_media": id})),
        None => fields,
    }
}

fn draft(post: &Post) -> Value {
    json!({"status": "draft", "slug": post.slug})
}

fn taxonomies(post: &Post) -> [Wanted<'_>; 2] {
    [
        Wanted { taxonomy: "categories", names: &post.categories, others: &post.other_categories },
        Wanted { taxonomy: "tags", names: &post.tags, others: &[] },
    ]
}
