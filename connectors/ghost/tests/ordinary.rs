//! Ordinary entries as they are sent to Ghost, compared with what a person has read and found right.
//!
//! `ghost/goldens-ordinary/posts.html` holds them, one behind the other: what Ghost keeps, and what goes into a card because it would not.
//! With `UPDATE_GOLDENS=1` it is written anew, to be read before it is committed.

use super::*;
use crate::kit::text::Text;
use crate::kit::text::tests::goldens::{holds, ordinary};

#[test]
fn ordinary_entries_come_out_as_reviewed() {
    let ghost = connector(json!({"copy_images": false, "feature_image": true}));
    let mut posts = String::new();
    for (number, (name, source, is_html)) in ordinary().into_iter().enumerate() {
        let text = if is_html { Text::from_html(&source) } else { Text::from_plain(&source) };
        let title: String = text.plain().lines().next().unwrap_or(&name).chars().take(60).collect();
        let (description, other) = if is_html { ("description_html", "description") } else { ("description", "description_html") };
        let news = entry(json!({"changelog_id": number, "title": title, description: source, other: null, "settings": null}));
        let Plan::Run(steps) = plan_of(&ghost, &news.item, &Links::default(), false) else { panic!("{name} is not planned") };
        let Op::CreateDraft(post) = &steps[0].op else { panic!("{:?}", steps[0].op) };
        let (excerpt, image) = (post.excerpt.as_deref().unwrap_or("-"), post.feature_image.as_deref().unwrap_or("-"));
        posts.push_str(&format!("===== {name}\ntitle: {}\nexcerpt: {excerpt}\nimage: {image}\n\n{}\n\n", post.title, post.html));
    }
    assert!(holds("ghost/goldens-ordinary/posts.html", &posts));
}
