//! Templates and conditions on real shapes of items.

use serde_json::json;

use super::*;
use crate::contract::{Change, Fields, ItemId, Links, ProductId, RemoteKey, Time};
use crate::kit::text::Dialect;
use crate::kit::view::view;

fn feedback(fields: serde_json::Value) -> Item {
    let id = ItemId::top(ProductId(7), ItemKind::Feedback, "3").unwrap();
    Item { id, fields: Fields::from_value(fields), at: Time::from_ms(1), deleted: false }
}

fn product() -> Product {
    let mut product = Product::unconfigured(ProductId(7));
    product.statuses.insert("s68dfa8421c534".to_owned(), "In progress".to_owned());
    product.feedback_url = Some("https://acme.sleekplan.app/feedback/{{ feedback.id }}".to_owned());
    product
}

fn render(source: &str, output: Output, item: &Item) -> Result<String, String> {
    let template = Template::new("body", source, output).map_err(|error| error.to_string())?;
    let (product, key) = (product(), RemoteKey::new("sp-7-feedback-3".to_owned(), "00".to_owned()));
    let links = Links { elsewhere: [("blog".to_owned(), "https://b.example/1".to_owned())].into(), ..Links::default() };
    let change = Change { item, parent: None, event: None, product: &product, key: &key, at: Time::from_ms(2) };
    template.render(&view(&change, &links, Dialect::GitHub)).map_err(|error| error.to_string())
}

#[test]
fn fields_carry_sleekplans_names_without_prefixes() {
    let item = feedback(json!({
        "feedback_id": "3", "title": "CSV\nexport", "status": "s68dfa8421c534", "type": "user-interface", "total_up": "9", "total_down": 1,
        "description_html": "<p>Please <b>add</b> it</p>", "created": "2020-05-22 16:49:00", "user": {"data_name": "jane"},
    }));
    let table = [
        ("{{ feedback.id }} {{ feedback.title }}", "3 CSV export"),
        ("{{ feedback.status }}/{{ feedback.status_label }}/{{ feedback.type_label }}", "s68dfa8421c534/In progress/user-interface"),
        ("{{ feedback.votes_up + 1 }} {{ feedback.votes }}", "10 8"),
        ("{{ feedback.body.html }}", "<p>Please <strong>add</strong> it</p>"),
        ("{{ feedback.body.markdown }}|{{ feedback.body.text }}", "Please **add** it|Please add it"),
        ("{{ feedback.created }} {{ feedback.url }}", "2020-05-22T16:49:00Z https://acme.sleekplan.app/feedback/3"),
        ("{{ user.name }} {{ feedback.user.name }} {{ links.blog }} {{ product.id }}", "jane jane https://b.example/1 7"),
        ("{% if feedback.estimated is none %}no date{% endif %}", "no date"),
    ];
    for (source, expected) in table {
        assert_eq!(render(source, Output::Text, &item).map(|text| text.trim().to_owned()), Ok(expected.to_owned()), "{source}");
    }
}

#[test]
fn unknown_names_are_refused_when_the_template_is_read() {
    for source in ["{{ feedback.tilte }}", "{{ post.title }}", "{{ entry.votes_up }}", "{% if %}"] {
        assert!(Template::new("body", source, Output::Text).is_err(), "{source}");
    }
    assert!(Template::new("body", "{% for n in range(3) %}{{ n }}{% endfor %}{{ links.other }}", Output::Text).is_ok());
}

#[test]
fn what_strangers_wrote_is_data() {
    let item = feedback(json!({"title": "{{ 7 * 7 }} <script>", "description": "{% raw %}"}));
    assert_eq!(render("{{ feedback.title }}", Output::Text, &item).unwrap(), "{{ 7 * 7 }} <script>");
    assert_eq!(render("{{ feedback.title }}", Output::Html, &item).unwrap(), "{{ 7 * 7 }} &lt;script&gt;");
    assert_eq!(render("{{ feedback.title }}", Output::Json, &item).unwrap(), "\"{{ 7 * 7 }} <script>\"");
}

#[test]
fn an_endless_template_ends() {
    let item = feedback(json!({}));
    let source = "{% for a in range(9999) %}{% for b in range(9999) %}{{ a }}{% endfor %}{% endfor %}";
    assert!(render(source, Output::Text, &item).unwrap_err().contains("fuel"));
}

#[test]
fn conditions_see_the_items_fields_and_absent_ones_are_none() {
    let item = feedback(json!({"type": "bug", "total_up": "7"}));
    let holds = |source: &str, item: &Item| Expression::new(source, ItemKind::Feedback).unwrap().holds(item, &product());
    assert_eq!(holds("votes_up >= 5 and type == 'bug'", &item), Ok(true));
    assert_eq!(holds("votes_up >= 8", &item), Ok(false));
    assert_eq!(holds("votes_up >= 5", &feedback(json!({}))), Ok(false));
    assert_eq!(holds("estimated", &item), Ok(false));
    assert!(Expression::new("tilte == 'x'", ItemKind::Feedback).unwrap_err().contains("known are"));
    assert!(Expression::new("votes_up >=", ItemKind::Feedback).is_err());
    assert!(Expression::new("feedback.votes_up > 1", ItemKind::Feedback).is_err());
}
