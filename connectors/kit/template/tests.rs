//! Templates and conditions on real shapes of items.

use serde_json::json;

use super::*;
use crate::contract::{Action, Change, Event, Fields, Item, ItemId, ItemKind, Links, Product, ProductId, RemoteKey, Time};
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
    let change = Change { item, parent: None, event: None, product: &product, key: &key, at: Time::from_ms(2), is_history: false };
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
fn unknown_names_are_refused_when_the_template_is_read_with_the_name_that_was_meant() {
    let table = [
        ("{{ feedback.tilte }}", "did you mean `feedback.title`?"),
        ("{{ feedback.total_up }}", "did you mean `feedback.votes_up`?"),
        ("{{ feedback.body.htlm }}", "did you mean `feedback.body.html`?"),
        ("{{ comment.user.emial }}", "did you mean `comment.user.email`?"),
        ("{{ event.acton }}", "did you mean `event.action`?"),
        ("{{ product.nmae }}", "did you mean `product.name`?"),
        ("{{ entri.title }}", "did you mean `entry`?"),
        ("{{ post.title }}", "known are event, product, links, feedback"),
        ("{{ entry.votes_up }}", "`entry.votes_up` is not known"),
        ("{{ entry.title|uper }}", "unknown filter"),
        ("{{ entry.title|safe }}", "unknown filter"),
        ("{% if entry.title is nome %}{% endif %}", "unknown test"),
        ("{% autoescape false %}{{ entry.title }}{% endautoescape %}", "cannot be switched off"),
        ("{% if %}", "syntax error"),
        ("{% include 'x' %}", "syntax error"),
    ];
    for (source, expected) in table {
        let error = Template::new("body", source, Output::Text).unwrap_err().to_string();
        assert!(error.contains(expected), "{source}: {error}");
    }
    let fine =
        "{% for n in range(3) %}{{ n }}{% endfor %}{{ links.other }}{{ entry.settings.cta.href }}{{ event.data.x }}{% set x = 1 %}{{ x }}";
    assert!(Template::new("body", fine, Output::Text).is_ok());
}

#[test]
fn what_this_change_does_not_have_is_false_and_its_fields_are_none() {
    let item = feedback(json!({"title": "x"}));
    let table = [
        ("{% if entry %}entry{% elif feedback %}feedback{% endif %}", "feedback"),
        ("{{ entry.title is none }} {{ entry.body.html is none }} {{ comment.user.name is none }}", "True True True"),
        ("{{ event.action is none }}{% if event %}!{% endif %}", "True"),
        ("{{ links.tracker is none }} {{ links.blog }}", "True https://b.example/1"),
    ];
    for (source, expected) in table {
        assert_eq!(render(source, Output::Text, &item), Ok(expected.to_owned()), "{source}");
    }
}

#[test]
fn a_comment_sees_its_post_its_writer_and_the_event() {
    let post = feedback(json!({"title": "Post"}));
    let comment = Item {
        id: ItemId::child(ProductId(7), ItemKind::Comment, "3", "9").unwrap(),
        fields: Fields::from_value(json!({"comment_id": 9, "comment": "+1", "user": {"data_mail": "jane@example.com"}})),
        ..post.clone()
    };
    let event = Event { seq: 5, action: Action::CommentCreate, at: Time::from_ms(0), data: Fields::from_value(json!({"comment_id": 9})) };
    let (product, key) = (product(), RemoteKey::new("sp-7-comment-3-9".to_owned(), "00".to_owned()));
    let change = Change {
        item: &comment,
        parent: Some(&post),
        event: Some(&event),
        product: &product,
        key: &key,
        at: Time::from_ms(2),
        is_history: false,
    };
    let source = "{{ feedback.title }} {{ comment.id }} {{ comment.body.text }} {{ user.email }} {{ event.action }} {{ event.at }} {{ event.data.comment_id }}";
    let text = Template::new("body", source, Output::Text).unwrap().render(&view(&change, &Links::default(), Dialect::Plain)).unwrap();
    assert_eq!(text, "Post 9 +1 jane@example.com comment.create 1970-01-01T00:00:00Z 9");
}

#[test]
fn sanitised_html_is_written_as_it_is_into_html_alone() {
    let item = feedback(json!({"description_html": "<p>a <b>\"b\"</b><script>alert(1)</script></p>"}));
    let written = |output| render("{{ feedback.body.html }}", output, &item).unwrap().trim().to_owned();
    assert_eq!(written(Output::Html), "<p>a <strong>\"b\"</strong></p>");
    let json: String = serde_json::from_str(&written(Output::Json)).unwrap();
    assert_eq!(json.trim(), "<p>a <strong>\"b\"</strong></p>");
}

#[test]
fn an_address_that_leads_nowhere_on_the_web_is_none() {
    let mut product = product();
    product.feedback_url = Some("{{ feedback.title }}:x".to_owned());
    let item = feedback(json!({"title": "javascript"}));
    assert_eq!(crate::kit::view::public_url(&item, &product), None);
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
fn a_template_gives_no_more_than_its_bound() {
    let item = feedback(json!({"title": "x".repeat(1000)}));
    let source = "{% for a in range(2000) %}{{ feedback.title }}{% endfor %}";
    assert!(render(source, Output::Text, &item).unwrap_err().contains("it gives more than 1048576 bytes"));
}

fn holds(source: &str, item: &Item) -> Result<bool, String> {
    Expression::new(source, ItemKind::Feedback)?.holds(item, &product())
}

#[test]
fn conditions_see_the_items_fields_by_themselves() {
    let item = feedback(
        json!({"type": "bug", "total_up": "7", "total_down": null, "tags": ["a"], "user": {"data_name": "jane"}, "created": "2026-03-01 09:00:00"}),
    );
    let table = [
        ("votes_up >= 5 and type == 'bug'", true),
        ("votes_up >= 8", false),
        ("votes_up > 6 and votes_up < 8", true),
        ("user.name == 'jane'", true),
        ("'a' in tags", true),
        ("created >= '2026-01-01'", true),
        ("title is none and not status", true),
        ("type in ['bug', 'idea']", true),
    ];
    for (source, expected) in table {
        assert_eq!(holds(source, &item), Ok(expected), "{source}");
    }
}

#[test]
fn no_comparison_by_size_holds_with_none() {
    let item = feedback(json!({"type": "bug"}));
    let table = [
        ("votes_up >= 5", false),
        ("votes_up < 5", false),
        ("5 > votes_up", false),
        ("not votes_up >= 5", false),
        ("votes_up - votes_down >= 0", false),
        ("title|length > 3", false),
        ("created < '2026-01-01'", false),
        ("user.weight < 3", false),
        ("votes_up < 5 or type == 'bug'", true),
        ("votes_up is none", true),
        ("votes_up is none or votes_up < 5", true),
        ("votes_up is not none", false),
        ("(votes_up or 0) < 5", true),
        ("votes_up|default(0, true) < 5", true),
        ("status == 'open'", false),
        ("status != 'open'", true),
        ("estimated", false),
    ];
    for (source, expected) in table {
        assert_eq!(holds(source, &item), Ok(expected), "{source}");
    }
}

#[test]
fn a_condition_that_cannot_be_read_is_refused() {
    let table = [
        ("tilte == 'x'", "did you mean `title`?"),
        ("user.nmae == 'x'", "did you mean `user.name`?"),
        ("total_up > 1", "did you mean `votes_up`?"),
        ("feedback.votes_up > 1", "is not known"),
        ("votes_up >=", "syntax error"),
        ("title|lenght > 1", "unknown filter"),
        ("votes_up == none", "write `is none`"),
        ("none!=votes_up", "write `is none`"),
    ];
    for (source, expected) in table {
        let error = holds(source, &feedback(json!({}))).unwrap_err();
        assert!(error.contains(expected), "{source}: {error}");
    }
    assert_eq!(holds("title == '== none'", &feedback(json!({"title": "== none"}))), Ok(true));
}

#[test]
fn a_condition_that_fails_on_known_values_says_so() {
    let error = holds("title - 1 > 0", &feedback(json!({"title": "x"}))).unwrap_err();
    assert!(error.contains("invalid operation"), "{error}");
}

#[test]
fn in_markdown_a_value_is_text_and_an_address_stays_one() {
    let environment = environment(Output::Markdown { dialect: Dialect::GitHub, chars_max: 20 });
    let table = [
        ("{{ 'a *b* @octocat' }}", "a \\*b\\* @\u{200b}octocat"),
        ("{{ 'https://acme.example/feedback/3?a=1' }}", "https://acme.example/feedback/3?a=1"),
        ("{{ 7 }} {{ true }} {{ none }}", "7 True none"),
        ("{% set x %}*{{ '*b*' }}*{% endset %}{{ x }}", "*\\*b\\**"),
    ];
    for (source, expected) in table {
        assert_eq!(environment.render_str(source, ()).unwrap(), expected, "{source}");
    }
    let odd = environment.render_str("{{ 'https://e.example/)@octocat' }}", ()).unwrap();
    assert!(!odd.contains("@octocat"), "{odd}");
    assert!(environment.render_str("{{ '@octocat' | tojson }}", ()).is_err());
}
