//! The requests, and what is done with WordPress' answers.

use http::Method;
use serde_json::{Value, json};

use super::known::{Known, post_id, write_comment};
use super::media::placed;
use super::plan::POST;
use super::refusal::{refine, refine_post};
use super::terms::Wanted;
use super::{Op, Post, WordPress};
use crate::contract::{Cause, Cx, Failure, Hash, Links, OnRemoteEdit, Preview, RemoteKey, RemoteRef, Request};
use crate::kit::http::{Answer, Stage, basic, call, json_request};
use crate::kit::image;

/// Every status a post of ours can have: a listing shows published ones alone unless it is asked for the others.
const STATUSES: &str = "publish,future,draft,pending,private,trash";
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
            Op::Publish { status, date_gmt, .. } => post(json!({"status": status, "date_gmt": date_gmt})),
            Op::Unpublish {} => post(json!({"status": "draft"})),
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
            Op::Publish { status, date_gmt, restore } => self.publish(status, date_gmt, *restore, cx).await,
            Op::Unpublish {} => self.unpublish(cx).await,
            Op::TrashPost {} => self.trash(cx).await,
            Op::DeletePost {} => self.delete(cx).await,
        }
    }

    /// Looks for a post with the entry's key first, which may lie in the trash, and once more afterwards for one at its address: WordPress refuses
    /// no second one, but gives it another address or, to a draft, the same.
    async fn create(&self, post: &Post, cx: &Cx<'_>) -> Result<RemoteRef, Failure> {
        if let Some(known) = self.list(("search", &post.key.signed()), &post.key, cx).await?.first() {
            return self.adopt(known, post, cx).await;
        }
        let mut body = with(fields(post, cx.links), draft(post));
        for wanted in taxonomies(post) {
            if let Some(ids) = self.terms(&wanted, None, cx).await? {
                body = with(body, json!({wanted.taxonomy: ids}));
            }
        }
        let request = self.build(Method::POST, &[&self.settings.post_type], &[], Some(&body));
        let answer = self.call(cx, request, Stage::Create).await?;
        if answer.json.pointer("/content").is_none() {
            return Err(self.without_text(&answer, cx).await);
        }
        let made = Known::read(&answer, "")?;
        // From here on there is a post, whatever the next answers are.
        let known = self.own(post, cx).await.map_err(unknown)?;
        match known.first().filter(|first| first.id < made.id) {
            Some(first) => {
                let request = self.build(Method::DELETE, &[&self.settings.post_type, &made.id.to_string()], &[("force", "true")], None);
                self.call(cx, request, Stage::Delete).await.map_err(unknown)?;
                self.adopt(first, post, cx).await.map_err(unknown)
            }
            None => Ok(made.post_ref()),
        }
    }

    /// A post that keeps no text keeps no key, and would be made again and again: it is taken away.
    async fn without_text(&self, made: &Answer, cx: &Cx<'_>) -> Failure {
        let Ok(id) = made.text("/id") else { return made.lacks("/id") };
        let request = self.build(Method::DELETE, &[&self.settings.post_type, &id], &[("force", "true")], None);
        match self.call(cx, request, Stage::Delete).await {
            Ok(_) => Failure::Rejected { source: textless(&self.settings.post_type) },
            Err(failure) => failure,
        }
    }

    /// A post that carries the entry's key, and no link knew of.
    async fn adopt(&self, known: &Known, post: &Post, cx: &Cx<'_>) -> Result<RemoteRef, Failure> {
        if known.is_written(&write(post, cx.links)) && !known.is_trashed() {
            return Ok(known.post_ref());
        }
        // Nobody loses what lies in the trash.
        if !known.is_trashed() && self.is_left(known)? {
            return Ok(known.post_ref());
        }
        self.write(known, post, cx).await
    }

    async fn update(&self, post: &Post, restore: bool, cx: &Cx<'_>) -> Result<Option<RemoteRef>, Failure> {
        let known = self.present(restore, cx).await?;
        // Its answer was lost.
        if known.is_written(&write(post, cx.links)) {
            return Ok(Some(known.post_ref()));
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
        Ok(self.save(known, &body, cx).await?.post_ref())
    }

    /// Asks first: what has the status already is not changed again.
    async fn publish(&self, status: &str, date_gmt: &str, restore: bool, cx: &Cx<'_>) -> Result<Option<RemoteRef>, Failure> {
        let known = self.present(restore, cx).await?;
        if known.status == status {
            return Ok(Some(known.state_ref()));
        }
        if !known.is_ours(cx.links) && self.is_left(&known)? {
            return Ok(None);
        }
        let saved = self.save(&known, &json!({"status": status, "date_gmt": date_gmt}), cx).await?;
        if saved.slug != known.slug && !known.is_trashed() {
            tracing::info!(slug = saved.slug, "another post has the address; WordPress gave this one");
        }
        if saved.status == status {
            return Ok(Some(saved.state_ref()));
        }
        let cause = format!(
            "post {} was told to be `{status}`, and WordPress says it is `{}`: look at it there (its date, the user's rights, a plugin that \
             reviews posts), then retry",
            saved.id, saved.status
        );
        Err(Failure::Rejected { source: Cause::new(cause) })
    }

    /// What is not public any more stays as it is, also where a person saw to that.
    async fn unpublish(&self, cx: &Cx<'_>) -> Result<Option<RemoteRef>, Failure> {
        match self.read(cx).await? {
            Some(known) if matches!(known.status.as_str(), "publish" | "future" | "private") => {
                Ok(Some(self.save(&known, &json!({"status": "draft"}), cx).await?.state_ref()))
            }
            known => Ok(known.map(|known| known.state_ref())),
        }
    }

    async fn trash(&self, cx: &Cx<'_>) -> Result<Option<RemoteRef>, Failure> {
        match self.read(cx).await? {
            Some(known) if !known.is_trashed() => {
                let request = self.build(Method::DELETE, &[&self.settings.post_type, &known.id.to_string()], &[], None);
                let answer = self.call(cx, request, Stage::Update).await?;
                Ok(Some(Known::read(&answer, "")?.state_ref()))
            }
            known => Ok(known.map(|known| known.state_ref())),
        }
    }

    async fn delete(&self, cx: &Cx<'_>) -> Result<Option<RemoteRef>, Failure> {
        if let Some(known) = self.read(cx).await?
            && (known.is_ours(cx.links) || !self.is_left(&known)?)
        {
            let request = self.build(Method::DELETE, &[&self.settings.post_type, &known.id.to_string()], &[("force", "true")], None);
            self.call(cx, request, Stage::Delete).await?;
        }
        Ok(None)
    }

    /// Whether what a person changed stays as it is; a failure where a person is to decide.
    fn is_left(&self, known: &Known) -> Result<bool, Failure> {
        match self.settings.on_remote_edit {
            OnRemoteEdit::Overwrite => Ok(false),
            OnRemoteEdit::Keep => {
                tracing::info!(post = known.id, "a person changed the post at WordPress; on_remote_edit keeps it");
                Ok(true)
            }
            OnRemoteEdit::Park => {
                let cause = format!(
                    "a person changed post {} at WordPress on {}Z; on_remote_edit = \"overwrite\" or \"keep\" decides, or drop it",
                    known.id, known.modified
                );
                Err(Failure::Rejected { source: Cause::new(cause) })
            }
        }
    }

    /// The post, where it is to be changed: what lies in the trash is there only for who put it there.
    async fn present(&self, restore: bool, cx: &Cx<'_>) -> Result<Known, Failure> {
        match self.read(cx).await? {
            Some(known) if restore || !known.is_trashed() => Ok(known),
            Some(known) => Err(missing(&format!("post {} was put into the trash at WordPress", known.id))),
            None => Err(missing("the post was deleted at WordPress")),
        }
    }

    /// The post as it stands; `None` where it was deleted.
    async fn read(&self, cx: &Cx<'_>) -> Result<Option<Known>, Failure> {
        let id = post_id(cx.links).ok_or_else(|| missing("there is no link to a post"))?;
        let request = self.build(Method::GET, &[&self.settings.post_type, id], &[EDIT], None);
        match call(cx, request, Stage::Update, refine_post).await {
            Ok(answer) => Known::read(&answer, "").map(Some),
            Err(Failure::Missing { .. }) => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    async fn save(&self, known: &Known, body: &Value, cx: &Cx<'_>) -> Result<Known, Failure> {
        let request = self.build(Method::POST, &[&self.settings.post_type, &known.id.to_string()], &[], Some(body));
        Known::read(&self.call(cx, request, Stage::Update).await?, "")
    }

    /// The posts that carry the entry's key under the address it is to have, the oldest first.
    async fn own(&self, post: &Post, cx: &Cx<'_>) -> Result<Vec<Known>, Failure> {
        // What is put into the trash keeps its address under another.
        let slugs = format!("{0},{0}__trashed", post.slug);
        self.list(("slug", &slugs), &post.key, cx).await
    }

    /// All posts that carry `key`, the oldest first: of several that one counts, since people duplicate posts with all that is in them.
    async fn list(&self, which: (&str, &str), key: &RemoteKey, cx: &Cx<'_>) -> Result<Vec<Known>, Failure> {
        let mut own = Vec::new();
        for page in 1_usize.. {
            let number = page.to_string();
            let per_page = PAGE.to_string();
            let order = [("orderby", "id"), ("order", "asc"), ("per_page", per_page.as_str()), ("page", number.as_str())];
            let query: Vec<(&str, &str)> = [which, ("status", STATUSES), EDIT].into_iter().chain(order).collect();
            let answer = self.call(cx, self.build(Method::GET, &[&self.settings.post_type], &query, None), Stage::Find).await?;
            let known = Known::read_all(&answer)?;
            let (count, total) = (known.len(), answer.headers.get("x-wp-total").and_then(|value| value.to_str().ok()?.parse().ok()));
            own.extend(known.into_iter().filter(|known| known.carries(key)));
            // A full page without a count: a page beyond the end would be an error (`rest_post_invalid_page_number`), not an empty list.
            if total.map_or(count < PAGE, |total: usize| page * PAGE >= total) {
                break;
            }
        }
        Ok(own)
    }

    pub(super) async fn look_up(&self, key: &RemoteKey, cx: &Cx<'_>) -> Result<Option<RemoteRef>, Failure> {
        let own = self.list(("search", &key.signed()), key, cx).await?;
        Ok(own.first().map(Known::post_ref))
    }
}

pub(super) fn textless(post_type: &str) -> Cause {
    Cause::new(format!("posts of `{post_type}` have no text (`editor`): choose another post_type"))
}

fn missing(what: &str) -> Failure {
    Failure::Missing { source: Cause::new(what) }
}

fn unknown(failure: Failure) -> Failure {
    Failure::Unknown { retry_after: None, source: failure.cause().clone() }
}

/// The hash of a write: of all that is sent, and of the links it is made upon, which a write that is known to have succeeded changes.
fn write(post: &Post, links: &Links) -> Hash {
    let places: Vec<Option<&str>> = post.images.iter().map(|source| placed(links, source).map(|(_, address)| address)).collect();
    Hash::of_json(&(post, places, links.id(&POST), links.id(&super::plan::STATE)))
}

/// What a post says, images where they are now. A block of HTML is left alone by WordPress and its editor.
fn fields(post: &Post, links: &Links) -> Value {
    let html = image::placed(&post.html, &post.images, |source| placed(links, source).map(|(_, address)| address.to_owned()));
    let comments = format!("{}{}", post.key.marker(), write_comment(&write(post, links)));
    let content = format!("<!-- wp:html -->\n{comments}\n{html}\n<!-- /wp:html -->");
    let fields = json!({"title": post.title, "content": content, "date_gmt": post.date_gmt});
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

fn with(mut fields: Value, more: Value) -> Value {
    if let (Value::Object(fields), Value::Object(more)) = (&mut fields, more) {
        fields.extend(more);
    }
    fields
}
