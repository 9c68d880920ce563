//! The suite's view of `wordpress`: the fake WordPress, everything the connector can do, and a browser's eyes for what it would act upon.

use std::sync::Arc;

use serde_json::{Value, json};

use super::WordPress;
use crate::contract::{RemoteKey, Request, Transport};
use crate::kit::text::Format;
use crate::kit::text::tests::actions::actions;
use crate::testing::conformance::{Fake, Fixture, Hostile, conformance};
use crate::testing::wordpress::Wire;
use crate::testing::{Case, entry};

conformance!(WordPress, WordPressFixture { on_unpublish: "draft" });

/// The same with a trash, which adds a way out and a way back.
mod trashing {
    use super::*;

    conformance!(WordPress, WordPressFixture { on_unpublish: "trash" });
}

/// The same past the trash.
mod deleting {
    use super::*;

    conformance!(WordPress, WordPressFixture { on_unpublish: "delete" });
}

struct WordPressFixture {
    on_unpublish: &'static str,
}

/// A running fake of WordPress.
struct Site {
    wire: Arc<Wire>,
    on_unpublish: &'static str,
}

impl Fixture for WordPressFixture {
    type Connector = WordPress;
    type Fake = Site;

    async fn start(&self) -> Site {
        Site { wire: Arc::new(Wire::new()), on_unpublish: self.on_unpublish }
    }

    fn cases(&self) -> Vec<Case> {
        let news = entry(json!({}));
        let withdrawn = news.clone().changed(json!({"draft": true}));
        let back = withdrawn.clone().changed(json!({"draft": false, "title": "CSV export is back"}));
        vec![
            Case::new("publish", news.clone()),
            Case::after("edit", [news.clone()], news.clone().changed(json!({"title": "CSV and PDF export are here"}))),
            Case::after("unpublish", [news.clone()], withdrawn.clone()),
            Case::after("publish again", [news.clone(), withdrawn], back),
            Case::after("delete", [news.clone()], news.deleted()),
        ]
    }

    fn goldens(&self) -> &'static str {
        match self.on_unpublish {
            "trash" => "wordpress/goldens/trash",
            "delete" => "wordpress/goldens/delete",
            _ => "wordpress/goldens/draft",
        }
    }

    fn creates(&self) -> fn(&Request) -> bool {
        |request| request.method == http::Method::POST && request.url.path().ends_with("/posts")
    }

    fn largest(&self) -> usize {
        // The steps are the same: one fixture proves the size.
        if self.on_unpublish == "draft" { 1024 * 1024 } else { 4096 }
    }
}

impl Fake for Site {
    fn settings(&self, canary: &str) -> Value {
        json!({
            "url": "https://blog.example.com", "username": "bot", "application_password": canary, "on_unpublish": self.on_unpublish,
        })
    }

    fn objects(&self, key: &RemoteKey) -> usize {
        let marker = key.marker();
        let content =
            |post: &crate::testing::wordpress::Post| post.fields.get("content").map(|content| content.to_string().contains(&marker));
        self.wire.fake().posts.values().filter(|post| content(post) == Some(true)).count()
    }

    fn check(&self, _: &Hostile, sent: &[Request]) -> Result<(), String> {
        sent.iter().filter(|request| !request.body.is_empty()).try_for_each(inert)
    }

    fn crowd(&self) {
        self.wire.fake().others_post(101);
    }

    fn transport(&self) -> Arc<dyn Transport> {
        self.wire.clone()
    }
}

/// Nothing that a reader's browser or WordPress acts upon.
fn inert(request: &Request) -> Result<(), String> {
    let json: Value = serde_json::from_slice(&request.body).map_err(|error| error.to_string())?;
    let text = |name: &str| json.get(name).and_then(Value::as_str).unwrap_or_default();
    let (title, content) = (text("title"), text("content"));
    if title.contains(['<', '>']) || title.chars().count() > 2000 {
        return Err(format!("the title is HTML or too long: {}", title.chars().take(100).collect::<String>()));
    }
    if content.is_empty() {
        return Ok(());
    }
    let html = content.strip_prefix("<!-- wp:html -->\n<!-- sleekplan:").and_then(|rest| rest.strip_suffix("\n<!-- /wp:html -->"));
    let (_, html) = html.and_then(|rest| rest.split_once(" -->\n")).ok_or("the block and its comments are not those of ours")?;
    if html.contains("<!--") || html.contains('[') || html.contains("--\u{20}") {
        return Err("there is a comment, a shortcode or a dash in the making".to_owned());
    }
    // The button of ours.
    let html = html.replace("<div class=\"wp-block-buttons\"><div class=\"wp-block-button\">", "").replace("</div></div>", "");
    let html = html.replace(" class=\"wp-block-button__link wp-element-button\"", "");
    // A browser reads the references as the signs they are.
    let signs = [':', ';', '8', '-', '.', '(', 'x', '`', '\'', '['];
    let html = signs.iter().fold(html, |html, sign| html.replace(&format!("&#{};", u32::from(*sign)), &sign.to_string()));
    let found = actions(&html, Format::Html);
    if found.is_empty() { Ok(()) } else { Err(found.join("; ").chars().take(500).collect()) }
}
