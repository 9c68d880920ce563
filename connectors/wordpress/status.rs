//! Whether readers see a post: publishing it, and the ways of taking it from them.
//!
//! None of them makes a person's words ours: what was changed since our last write stays known as theirs.

use http::Method;
use serde_json::{Value, json};

use super::WordPress;
use super::api::{DRAFT, TEXT, TRASH, status_write};
use super::known::Known;
use crate::contract::{Cause, Cx, Failure, OnRemoteEdit, RemoteRef};
use crate::kit::http::{Stage, with};

impl WordPress {
    /// Asks first: what has the status already is not changed again.
    pub(super) async fn publish(
        &self,
        status: &str,
        date_gmt: Option<&str>,
        restore: bool,
        cx: &Cx<'_>,
    ) -> Result<Option<RemoteRef>, Failure> {
        let known = self.present(restore, cx).await?;
        let is_ours = self.is_ours(&known, status, cx).await?;
        if known.status == status {
            return Ok(Some(known.state_ref(is_ours)));
        }
        if !is_ours && self.is_left(&known)? {
            return Ok(None);
        }
        let dated = date_gmt.map_or_else(|| json!({}), |date_gmt| json!({"date_gmt": date_gmt}));
        let saved = self.tell(&known, (status, is_ours.then_some(status)), dated, cx).await?;
        if saved.slug != known.slug && !known.is_trashed() {
            tracing::info!(slug = saved.slug, "another post has the address; WordPress gave this one");
        }
        if saved.status == status {
            return Ok(Some(saved.state_ref(is_ours)));
        }
        let cause = format!(
            "post {} was told to be `{status}`, and WordPress says it is `{}`: look at it there (its date, the user's rights, a plugin that \
             reviews posts), then retry",
            saved.id, saved.status
        );
        Err(Failure::Rejected { source: Cause::new(cause) })
    }

    pub(super) async fn unpublish(&self, cx: &Cx<'_>) -> Result<Option<RemoteRef>, Failure> {
        match self.read(cx).await? {
            Some(known) => {
                let is_ours = self.is_ours(&known, DRAFT, cx).await?;
                self.withdraw(&known, is_ours, cx).await.map(Some)
            }
            None => Ok(None),
        }
    }

    /// What readers do not see stays as it is, also where a person saw to that.
    async fn withdraw(&self, known: &Known, is_ours: bool, cx: &Cx<'_>) -> Result<RemoteRef, Failure> {
        if known.is_trashed() || known.status == DRAFT {
            return Ok(known.state_ref(is_ours));
        }
        Ok(self.tell(known, (DRAFT, is_ours.then_some(DRAFT)), json!({}), cx).await?.state_ref(is_ours))
    }

    pub(super) async fn trash(&self, cx: &Cx<'_>) -> Result<Option<RemoteRef>, Failure> {
        let Some(known) = self.read(cx).await? else { return Ok(None) };
        let is_ours = self.is_ours(&known, TRASH, cx).await?;
        if known.is_trashed() {
            return Ok(Some(known.state_ref(is_ours)));
        }
        // WordPress empties its trash.
        if !is_ours && self.is_spared(&known, cx).await? {
            return Ok(Some(known.state_ref(false)));
        }
        // A request to trash carries no text: whose it was is written before.
        let known = if is_ours { self.tell(&known, (&known.status, Some(TRASH)), json!({}), cx).await? } else { known };
        let request = self.build(Method::DELETE, &[&self.settings.post_type, &known.id.to_string()], &[], None);
        let answer = self.call(cx, request, Stage::Update).await?;
        Ok(Some(Known::read(&answer.json).ok_or_else(|| answer.lacks(TEXT))?.state_ref(is_ours)))
    }

    pub(super) async fn delete(&self, cx: &Cx<'_>) -> Result<Option<RemoteRef>, Failure> {
        let Some(known) = self.read(cx).await? else { return Ok(None) };
        if !self.is_ours(&known, DRAFT, cx).await? && self.is_spared(&known, cx).await? {
            return Ok(None);
        }
        self.remove(known.id, cx).await.map(|()| None)
    }

    /// Takes a post that a person changed from the readers, but not from its author, where a setting does not say otherwise.
    async fn is_spared(&self, known: &Known, cx: &Cx<'_>) -> Result<bool, Failure> {
        if self.settings.on_remote_edit == OnRemoteEdit::Overwrite {
            return Ok(false);
        }
        tracing::warn!(post = known.id, "a person changed the post at WordPress: it becomes a draft and is neither trashed nor deleted");
        self.withdraw(known, false, cx).await.map(|_| true)
    }

    /// Past the trash.
    pub(super) async fn remove(&self, id: u64, cx: &Cx<'_>) -> Result<(), Failure> {
        let request = self.build(Method::DELETE, &[&self.settings.post_type, &id.to_string()], &[("force", "true")], None);
        self.call(cx, request, Stage::Delete).await.map(drop)
    }

    /// Gives a post a status. Where its text is ours the comment of the write goes along, so that it is known again when the answer is lost; a
    /// person's text is not touched.
    async fn tell(&self, known: &Known, (status, ours): (&str, Option<&str>), more: Value, cx: &Cx<'_>) -> Result<Known, Failure> {
        let mut body = with(json!({"status": status}), more);
        if let Some(content) = ours.and_then(|write| known.rewritten(&status_write(write, cx.links))) {
            body = with(body, json!({"content": content}));
        }
        self.save(known, &body, cx).await
    }
}
