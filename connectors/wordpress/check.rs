//! Whether the site takes us, lets us do what the settings ask for, and has what they name.

use http::Method;
use serde_json::Value;

use super::WordPress;
use super::api::{EDIT, textless};
use super::config::Status;
use super::refusal::refine;
use crate::contract::{Cause, Cx, Failure};
use crate::kit::http::{Stage, call, json_request};

/// The type of posts as the site describes it.
struct PostType {
    /// The right to publish them.
    publish: String,
    /// `category`, `post_tag`, …
    taxonomies: Vec<String>,
}

impl WordPress {
    pub(super) async fn prove(&self, cx: &Cx<'_>) -> Result<(), Failure> {
        let me = match self.call(cx, self.build(Method::GET, &["users", "me"], &[EDIT], None), Stage::Check).await {
            Err(Failure::Unauthorized { source }) => return Err(self.explained(&source, cx).await),
            answer => answer?,
        };
        me.text("/id")?;
        let kind = self.post_type(cx).await?;
        let settings = &self.settings;
        let publishes = matches!(settings.status, Status::Publish | Status::Private);
        for (needs, right, what) in
            [(publishes, kind.publish.as_str(), "publish posts"), (settings.copy_images, "upload_files", "upload images")]
        {
            let may = me.json.pointer(&format!("/capabilities/{right}")).is_some_and(|may| may == true);
            if needs && !may {
                let cause = format!("the user may not {what} (`{right}`): give it the role of an author or editor");
                return Err(Failure::Unauthorized { source: Cause::new(cause) });
            }
        }
        let categorises = !settings.categories.is_empty() || !settings.type_categories.is_empty();
        for (uses, taxonomy) in [(categorises, "category"), (!settings.tags.is_empty(), "post_tag")] {
            if uses && !kind.taxonomies.iter().any(|known| known == taxonomy) {
                let cause = format!("posts of `{}` have no `{taxonomy}`: leave that setting out", settings.post_type);
                return Err(Failure::Rejected { source: Cause::new(cause) });
            }
        }
        Ok(())
    }

    async fn post_type(&self, cx: &Cx<'_>) -> Result<PostType, Failure> {
        let answer = self.call(cx, self.build(Method::GET, &["types"], &[EDIT], None), Stage::Check).await?;
        let types: Vec<&Value> = answer.json.as_object().map(|types| types.values().collect()).unwrap_or_default();
        let Some(kind) = types.iter().find(|kind| kind.get("rest_base").is_some_and(|base| *base == self.settings.post_type)) else {
            let bases: Vec<&str> = types.iter().filter_map(|kind| kind.get("rest_base")?.as_str()).collect();
            let cause = format!("there is no post_type `{}` in the REST API; there are {}", self.settings.post_type, bases.join(", "));
            return Err(Failure::Rejected { source: Cause::new(cause) });
        };
        if kind.get("supports").is_some_and(|supports| supports.get("editor").is_none()) {
            return Err(Failure::Rejected { source: Cause::new(textless(&self.settings.post_type)) });
        }
        if let Some(namespace) = kind.get("rest_namespace").and_then(Value::as_str).filter(|namespace| *namespace != "wp/v2") {
            let cause = format!("posts of `{}` are at /wp-json/{namespace}, which is not supported", self.settings.post_type);
            return Err(Failure::Rejected { source: Cause::new(cause) });
        }
        let publish = kind.pointer("/capabilities/publish_posts").and_then(Value::as_str).unwrap_or("publish_posts").to_owned();
        let taxonomies = kind.get("taxonomies").and_then(Value::as_array).into_iter().flatten();
        Ok(PostType { publish, taxonomies: taxonomies.filter_map(|name| name.as_str().map(str::to_owned)).collect() })
    }

    /// Why WordPress takes us for a visitor: it does not say so itself, but says of itself what it takes.
    async fn explained(&self, said: &Cause, cx: &Cx<'_>) -> Failure {
        let index = json_request::<Value>(Method::GET, self.ready.base.join(&["wp-json", ""]), None);
        let takes_passwords = match call(cx, index, Stage::Check, refine).await {
            Ok(index) => index.json.pointer("/authentication/application-passwords").is_some(),
            // Many a site keeps its index from visitors.
            Err(_) => true,
        };
        let why = if takes_passwords {
            "wrong username (the login, not the name of the application password) or application password; or the server drops the \
             Authorization header (Apache with CGI: RewriteRule .* - [E=HTTP_AUTHORIZATION:%{HTTP:Authorization}])"
        } else {
            "this site takes no application passwords: it needs https, and no plugin that switches them off"
        };
        Failure::Unauthorized { source: Cause::new(format!("{said}; {why}")) }
    }
}
