//! A changelog entry as every connector that publishes it reads it: title, text, button, date.

use crate::contract::{Hash, Item, Product, Time};
use crate::kit::text::{Text, line};
use crate::kit::view;

/// The longest title, in characters; services cut further.
const TITLE_CHARS_MAX: usize = 300;

/// The entry's call to action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Button {
    /// Where it leads, as Sleekplan sent it: what is written with it goes through [`Text`].
    pub href: String,
    /// What it says.
    pub label: String,
}

/// The title on one line; `entry-ID` where there is none.
pub fn title(item: &Item) -> String {
    let title = line(&item.fields.text("title").unwrap_or_default(), TITLE_CHARS_MAX);
    if title.is_empty() { format!("entry-{}", item.id.id()) } else { title }
}

/// `created` is the publication date of an entry (REST object); the event's own time stands in, and is the latest it can be: what is dated
/// later is not shown by many services.
pub fn published(item: &Item, product: &Product) -> Time {
    created(item, product).unwrap_or(item.at)
}

/// The publication date where Sleekplan says it and it has come: one that stays the same from event to event.
pub fn created(item: &Item, product: &Product) -> Option<Time> {
    item.fields.some_text("created").and_then(|text| product.time(&text)).filter(|created| *created <= item.at)
}

/// The entry's button (`settings.cta` of the REST object).
pub fn button(item: &Item) -> Option<Button> {
    let cta = item.fields.object("settings").object("cta");
    Some(Button { href: cta.some_text("href")?, label: cta.some_text("text")? })
}

/// The button as a text: a paragraph with a link, or the words alone where the address leads nowhere.
fn button_text(button: &Button) -> Text {
    Text::from_html(&link(button))
}

/// The button as HTML: a link of this `class`, `around` which a service puts elements of its own; words where its address leads nowhere.
pub fn button_html(button: &Button, class: &str, around: (&str, &str)) -> String {
    let html = button_text(button).html();
    match html.strip_prefix("<p><a ").and_then(|rest| rest.strip_suffix("</a></p>")) {
        Some(link) => {
            let link = link.replacen(" rel=\"noopener noreferrer\"", &format!(" class=\"{class}\""), 1);
            format!("{}<a {link}</a>{}", around.0, around.1)
        }
        None => html,
    }
}

/// The body and, below it, the entry's button.
pub fn body_with_button(item: &Item) -> Text {
    let Some(button) = button(item) else { return view::body(item) };
    Text::from_html(&format!("{}{}", view::body(item).html(), link(&button)))
}

/// Hash of what Sleekplan says, without settings and templates.
pub fn content(item: &Item) -> Hash {
    let fields = ["title", "description", "description_html", "type", "settings", "created"].map(|name| item.fields.get(name));
    Hash::of_json(&(fields, item.is_public(), item.deleted))
}

fn link(button: &Button) -> String {
    format!("<p><a href=\"{}\">{}</a></p>", escaped(&button.href), escaped(&button.label))
}

/// Plain words as HTML.
pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
