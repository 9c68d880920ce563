//! Ordinary entries in CHANGELOG.md and in the feeds, compared with what a person has read and found right.
//!
//! `site/goldens-ordinary` holds the files; with `UPDATE_GOLDENS=1` they are written anew, to be read before they are committed.

use super::*;
use crate::kit::text::Text;
use crate::kit::text::tests::goldens::{holds, ordinary};

/// Types, so that every group of the file is seen.
const TYPES: [&str; 6] = ["New feature", "Improvement", "Bug fix", "Removed", "Security", "Deprecated"];
/// So many entries share a day.
const A_DAY: usize = 7;

#[tokio::test]
async fn ordinary_entries_come_out_as_reviewed() {
    let folder = tempfile::tempdir().unwrap();
    let site =
        site(folder.path(), json!({"changelog_file": "CHANGELOG.md", "copy_images": false, "feed_url": "https://acme.example/feeds"}));
    for (number, (name, source, is_html)) in ordinary().into_iter().enumerate() {
        let text = if is_html { Text::from_html(&source) } else { Text::from_plain(&source) };
        let title: String = text.plain().lines().next().unwrap_or(&name).chars().take(60).collect();
        let description = if is_html { "description_html" } else { "description" };
        let fields = json!({
            "changelog_id": number, "title": title, "type": TYPES[number % TYPES.len()], description: source,
            "created": format!("2026-02-{:02} 12:{number:02}:00", 1 + number / A_DAY),
        });
        let item = Item {
            id: ItemId::top(ProductId(7), ItemKind::Changelog, &number.to_string()).unwrap(),
            fields: Fields::from_value(fields),
            ..entry(json!({}))
        };
        bring(&site, &item, &mut Links::default()).await.unwrap();
    }
    let files = ["CHANGELOG.md", "changelog.rss", "changelog.atom", "changelog.json"];
    let different: Vec<&str> =
        files.into_iter().filter(|file| !holds(&format!("site/goldens-ordinary/{file}"), &read(folder.path(), file))).collect();
    assert_eq!(different, Vec::<&str>::new());
}
