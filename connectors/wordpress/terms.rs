//! Categories and tags by their names: looked up, and created where they are missing.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::WordPress;
use super::refusal::refine_term;
use crate::contract::{Cause, Cx, Failure, Response};
use crate::kit::entry::escaped;
use crate::kit::http::{Answer, Stage, call_or};
use crate::kit::text::Text;

/// What a post is to have of one taxonomy.
pub(super) struct Wanted<'a> {
    /// `categories` or `tags`, as both its address and the post's field are called.
    pub taxonomy: &'static str,
    /// Names it is to have.
    pub names: &'a [String],
    /// Names it is not to keep.
    pub others: &'a [String],
}

impl WordPress {
    /// The ids to send; `None` where nothing is to be changed. What is sent replaces all, so what people added is sent along.
    ///
    /// Ids are not remembered: one that was deleted since would empty the whole list, without a word ("tags": [9999] is answered with 200).
    pub(super) async fn terms(&self, wanted: &Wanted<'_>, post: Option<&str>, cx: &Cx<'_>) -> Result<Option<Vec<u64>>, Failure> {
        if wanted.names.is_empty() && wanted.others.is_empty() {
            return Ok(None);
        }
        let has = match post {
            Some(post) => self.list_terms(wanted.taxonomy, ("post", post), cx).await?,
            None => Vec::new(),
        };
        let (gone, mut kept): (Vec<Term>, Vec<Term>) = has.into_iter().partition(|term| wanted.others.iter().any(|name| term.is(name)));
        let missing: Vec<&String> = wanted.names.iter().filter(|name| !kept.iter().any(|term| term.is(name))).collect();
        if gone.is_empty() && missing.is_empty() {
            return Ok(None);
        }
        let _alone = if missing.is_empty() { None } else { Some(self.library.lock().await) };
        for name in missing {
            let id = self.term(wanted.taxonomy, name, cx).await?;
            kept.push(Term { id, name: name.clone() });
        }
        Ok(Some(kept.iter().map(|term| term.id).collect()))
    }

    async fn term(&self, taxonomy: &'static str, name: &str, cx: &Cx<'_>) -> Result<u64, Failure> {
        if let Some(term) = self.known_term(taxonomy, name, cx).await? {
            return Ok(term.id);
        }
        let request = self.build(Method::POST, &[taxonomy], &[], Some(&json!({"name": name})));
        let answer = call_or(cx, request, Stage::Create, refine_term, exists).await;
        let answer = answer.map_err(|failure| match failure {
            Failure::Rejected { source } => {
                let cause = format!("`{name}` of {taxonomy} is missing and cannot be created: create it at WordPress, or give the user the role of an editor; {source}");
                Failure::Rejected { source: Cause::new(cause) }
            }
            other => other,
        })?;
        if answer.status.is_success() {
            // Somebody else may have made it at the same moment: all take the first.
            let first = self.known_term(taxonomy, name, cx).await?;
            return first.map_or_else(|| number(&answer, "/id"), |term| Ok(term.id));
        }
        // What exists under a name that WordPress takes for the same says so, and which it is.
        number(&answer, "/data/term_id")
    }

    /// The first term of this name. WordPress keeps names with their signs as references, and looks for them so.
    async fn known_term(&self, taxonomy: &'static str, name: &str, cx: &Cx<'_>) -> Result<Option<Term>, Failure> {
        let escaped = escaped(name);
        let found =
            self.list_terms(taxonomy, ("search", &escaped), cx).await?.into_iter().filter(|term| term.is(name)).min_by_key(|term| term.id);
        if found.is_some() || escaped == name {
            return Ok(found);
        }
        Ok(self.list_terms(taxonomy, ("search", name), cx).await?.into_iter().filter(|term| term.is(name)).min_by_key(|term| term.id))
    }

    async fn list_terms(&self, taxonomy: &str, which: (&str, &str), cx: &Cx<'_>) -> Result<Vec<Term>, Failure> {
        Ok(self.all(taxonomy, &[which], cx).await?.iter().filter_map(Term::read).collect())
    }
}

struct Term {
    id: u64,
    name: String,
}

impl Term {
    fn read(term: &Value) -> Option<Self> {
        // Names come with their signs as references, such as `R&amp;D`.
        let name = Text::from_html(term.get("name")?.as_str()?).plain();
        Some(Self { id: term.get("id")?.as_u64()?, name: name.trim().to_owned() })
    }

    fn is(&self, name: &str) -> bool {
        self.name.to_lowercase() == name.trim().to_lowercase()
    }
}

fn number(answer: &Answer, pointer: &str) -> Result<u64, Failure> {
    answer.text(pointer)?.parse().map_err(|_| answer.lacks(pointer))
}

/// Whether a create is refused because the term is there, which is as good.
fn exists(response: &Response) -> bool {
    response.status == StatusCode::BAD_REQUEST
        && serde_json::from_slice::<Value>(&response.body).is_ok_and(|json| json.get("code").is_some_and(|code| code == "term_exists"))
}
