//! The connector against a fake GitHub that fails like the real one.

mod closing;
mod ordinary;

use serde_json::{Value, json};

use super::*;
use crate::contract::{
    Effect, Fields, Item, ItemId, Link, Part, Product, ProductId, Request, Response, Step, Transport, TransportError, Unsent,
};
use crate::testing::Engine;
use crate::testing::github::{Fault, Gone, Wire};

fn connector(more: Value) -> GitHub {
    let mut settings = json!({"repository": "acme/widgets", "token": "canary-token"});
    settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    GitHub::new(serde_json::from_value(settings).unwrap()).unwrap()
}

fn feedback(more: Value) -> Item {
    let mut fields =
        json!({"feedback_id": 3, "title": "CSV export", "description": "Please add it", "status": "open", "type": "bug", "total_up": "9"});
    fields.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    Item {
        id: ItemId::top(ProductId(7), ItemKind::Feedback, "3").unwrap(),
        fields: Fields::from_value(fields),
        at: Time::from_ms(1),
        deleted: false,
    }
}

fn comment(more: Value) -> Item {
    let mut fields = json!({"comment_id": 9, "feedback_id": 3, "comment": "+1 from us", "public": true});
    fields.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    Item {
        id: ItemId::child(ProductId(7), ItemKind::Comment, "3", "9").unwrap(),
        fields: Fields::from_value(fields),
        at: Time::from_ms(1),
        deleted: false,
    }
}

fn key(item: &Item) -> RemoteKey {
    RemoteKey::new(format!("sp-7-{}", item.id.to_string().replace('/', "-")), "0123456789abcdef".to_owned())
}

fn plan(github: &GitHub, item: &Item, links: &Links, at: Time) -> Plan<Op> {
    let (product, key) = (Product::unconfigured(ProductId(7)), key(item));
    let change = Change { item, parent: None, event: None, product: &product, key: &key, at, is_history: false };
    Connector::plan(github, &change, links).unwrap()
}

async fn bring(github: &GitHub, wire: &Wire, item: &Item, links: &mut Links, at: Time) -> Result<Vec<String>, Failure> {
    Engine::new(github, wire, at).run(plan(github, item, links, at), links).await
}

fn wire() -> Wire {
    Wire::new()
}

const NOW: Time = Time::from_ms(1_772_539_200_000);

#[tokio::test]
async fn an_issue_follows_its_feedback() {
    let github = connector(json!({
        "labels": ["sleekplan"], "type_labels": {"BUG": "bug"}, "status_labels": {"planned": "planned"},
        "closed_statuses": {"completed": "completed", "declined": "not_planned"},
    }));
    let (wire, mut links) = (wire(), Links::default());
    let steps = bring(&github, &wire, &feedback(json!({})), &mut links, NOW).await.unwrap();
    assert_eq!(steps, ["create issue", "note", "note", "note"]);
    let issue = |wire: &Wire| wire.fake().issues[&1].clone();
    assert_eq!((issue(&wire).title.as_str(), issue(&wire).labels), ("CSV export", vec!["bug".to_owned(), "sleekplan".to_owned()]));
    assert!(
        issue(&wire).body.contains("Please add it") && issue(&wire).body.ends_with("<!-- sleekplan:sp-7-feedback-3:0123456789abcdef -->")
    );
    assert_eq!(bring(&github, &wire, &feedback(json!({})), &mut links, NOW).await.unwrap(), Vec::<String>::new());

    wire.fake().issues.get_mut(&1).unwrap().labels.push("by a person".to_owned());
    let steps = bring(&github, &wire, &feedback(json!({"status": "planned"})), &mut links, NOW).await.unwrap();
    assert_eq!(steps, ["update issue", "add labels"]);
    let steps = bring(&github, &wire, &feedback(json!({"status": "completed"})), &mut links, NOW).await.unwrap();
    assert_eq!(steps, ["update issue", "remove label", "add labels", "close"]);
    assert_eq!((issue(&wire).state.as_str(), issue(&wire).state_reason.as_deref()), ("closed", Some("completed")));
    assert_eq!(issue(&wire).labels, ["bug", "sleekplan", "by a person"]);
    bring(&github, &wire, &feedback(json!({"status": "open"})), &mut links, NOW).await.unwrap();
    assert_eq!((issue(&wire).state.as_str(), issue(&wire).state_reason.as_deref()), ("open", Some("reopened")));

    let deleted = Item { deleted: true, ..feedback(json!({})) };
    assert_eq!(bring(&github, &wire, &deleted, &mut links, NOW).await.unwrap(), ["close"]);
    assert_eq!(issue(&wire).state_reason.as_deref(), Some("not_planned"));
    assert_eq!(wire.fake().creates, 1);
}

#[tokio::test]
async fn votes_alone_change_it_once_an_hour_at_most() {
    let github = connector(json!({}));
    let (wire, mut links) = (wire(), Links::default());
    bring(&github, &wire, &feedback(json!({})), &mut links, NOW).await.unwrap();
    let voted = feedback(json!({"total_up": 10}));
    let soon = NOW.plus(Duration::from_secs(3599));
    assert_eq!(
        plan(&github, &voted, &links, soon),
        Plan::Wait(crate::contract::For::Elapsed { since: NOW, duration: Duration::from_secs(3600) })
    );
    let later = NOW.plus(Duration::from_secs(3600));
    assert_eq!(bring(&github, &wire, &voted, &mut links, later).await.unwrap(), ["update votes"]);
    assert!(wire.fake().issues[&1].body.contains("**Votes:** 10"));
    assert_eq!(bring(&github, &wire, &voted, &mut links, later).await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn a_lost_answer_is_looked_up_over_many_pages() {
    let github = connector(json!({}));
    for fault in [Fault::LoseAnswer, Fault::BadGateway] {
        let (wire, mut links) = (wire(), Links::default());
        for number in 1..=250 {
            let other = Item { id: ItemId::top(ProductId(7), ItemKind::Feedback, &format!("o{number}")).unwrap(), ..feedback(json!({})) };
            bring(&github, &wire, &other, &mut Links::default(), NOW).await.unwrap();
        }
        wire.fake().faults = vec![fault];
        bring(&github, &wire, &feedback(json!({})), &mut links, NOW).await.unwrap();
        assert_eq!(links.id(&Part::new("issue")), Some("251"));
        assert_eq!(wire.fake().creates, 251);
    }
}

#[tokio::test]
async fn a_marker_that_a_stranger_copied_is_not_taken_for_ours() {
    let github = connector(json!({}));
    let (wire, item) = (wire(), feedback(json!({})));
    let cx = Cx { transport: &wire, links: &Links::default(), now: NOW };
    let forged = feedback(json!({"description": format!("{} and more", key(&item).marker())}));
    let other = Item { id: ItemId::top(ProductId(7), ItemKind::Feedback, "4").unwrap(), ..forged };
    bring(&github, &wire, &other, &mut Links::default(), NOW).await.unwrap();
    assert_eq!(Connector::find(&github, &key(&item), Time::ZERO, &cx).await.unwrap(), None);
    assert!(!wire.fake().issues[&1].body.contains(&key(&item).marker()));
}

#[tokio::test]
async fn answers_are_classified_as_github_means_them() {
    let github = connector(json!({}));
    let table = [
        (Fault::Limited, "transient"),
        (Fault::SecondaryLimit, "transient"),
        (Fault::Unauthorized, "unauthorized"),
        (Fault::HtmlPage, "unknown"),
        (Fault::LoseAnswer, "unknown"),
        (Fault::BadGateway, "unknown"),
    ];
    for (fault, class) in table {
        let wire = wire();
        wire.fake().faults = vec![fault];
        let op = Op::CreateIssue { title: "t".to_owned(), body: "b".to_owned(), labels: Vec::new() };
        let failure = Connector::apply(&github, &op, &Cx { transport: &wire, links: &Links::default(), now: NOW }).await.unwrap_err();
        assert_eq!(failure.class(), class, "{fault:?}: {failure:?}");
        assert!(!format!("{failure:?}").contains("canary-token"));
        if fault == Fault::SecondaryLimit {
            let minute = Some(crate::contract::RetryAfter::In(Duration::from_secs(60)));
            assert!(matches!(failure, Failure::Transient { retry_after, .. } if retry_after == minute));
        }
    }
    let wire = wire();
    wire.fake().faults = vec![Fault::HtmlPage];
    let found =
        Connector::find(&github, &key(&feedback(json!({}))), Time::ZERO, &Cx { transport: &wire, links: &Links::default(), now: NOW })
            .await;
    assert!(found.is_err(), "a page that is no listing does not say that nothing is there");
}

#[tokio::test]
async fn a_transferred_issue_is_followed_and_a_deleted_one_is_missing() {
    let github = connector(json!({}));
    let (wire, mut links) = (wire(), Links::default());
    bring(&github, &wire, &feedback(json!({})), &mut links, NOW).await.unwrap();
    let other = Item { id: ItemId::top(ProductId(7), ItemKind::Feedback, "4").unwrap(), ..feedback(json!({})) };
    bring(&github, &wire, &other, &mut Links::default(), NOW).await.unwrap();
    wire.fake().issues.get_mut(&1).unwrap().gone = Some(Gone::Moved(2));
    bring(&github, &wire, &feedback(json!({"title": "Moved"})), &mut links, NOW).await.unwrap();
    assert_eq!(links.id(&Part::new("issue")), Some("2"));
    wire.fake().issues.get_mut(&2).unwrap().gone = Some(Gone::Deleted);
    let failure = bring(&github, &wire, &feedback(json!({"title": "Again"})), &mut links, NOW).await.unwrap_err();
    assert_eq!(failure.class(), "missing");
}

/// Answers everything with this.
struct Saying(u16, Value);

#[async_trait::async_trait]
impl Transport for Saying {
    async fn send(&self, _: Request) -> Result<Response, TransportError> {
        let status = http::StatusCode::from_u16(self.0).unwrap();
        Ok(Response { status, headers: http::HeaderMap::new(), body: self.1.to_string().into() })
    }

    async fn fetch_untrusted(&self, _: &url::Url) -> Result<Response, TransportError> {
        Err(TransportError { unsent: Unsent::Certainly, source: crate::contract::Cause::new("no images here") })
    }
}

#[tokio::test]
async fn an_issue_in_another_repository_is_known_by_its_whole_name() {
    let github = connector(json!({}));
    let moved = json!({"number": 4, "html_url": "https://github.com/acme/gadgets/issues/4", "repository_url": "https://api.github.com/repos/acme/gadgets"});
    let op = Op::UpdateIssue { title: "t".to_owned(), body: "b".to_owned() };
    let mut links = Links::default();
    let remote = Connector::apply(&github, &op, &Cx { transport: &Saying(200, moved), links: &links, now: NOW }).await.unwrap();
    assert_eq!(remote.as_ref().map(|remote| remote.id.as_str()), Some("acme/gadgets#4"));
    links.own.insert(Part::new("issue"), Link { remote, content: None, rendering: None, updated_at: NOW });
    let sent = Connector::preview(&github, &op, &links);
    assert_eq!(sent[0].url, "https://api.github.com/repos/acme/gadgets/issues/4");
    let comment = Op::DeleteComment {};
    let below = Links { parent: links.own, ..Links::default() };
    assert_eq!(Connector::preview(&github, &comment, &below)[0].url, "https://api.github.com/repos/acme/gadgets/issues/comments/ID");
}

#[tokio::test]
async fn a_404_or_410_says_that_the_issue_is_gone_or_that_the_repository_is_no_longer_ours() {
    let github = connector(json!({}));
    let create = Op::CreateIssue { title: "t".to_owned(), body: "b".to_owned(), labels: Vec::new() };
    let update = Op::UpdateIssue { title: "t".to_owned(), body: "b".to_owned() };
    for status in [404, 410] {
        let saying = Saying(status, json!({"message": "Not Found"}));
        let cx = Cx { transport: &saying, links: &Links::default(), now: NOW };
        let class = |outcome: Result<Option<RemoteRef>, Failure>| outcome.map_or_else(|failure| failure.class(), |_| "ok");
        assert_eq!(class(Connector::apply(&github, &create, &cx).await), "unauthorized", "410: issues are disabled");
        assert_eq!(class(Connector::apply(&github, &update, &cx).await), "missing");
        assert_eq!(class(Connector::apply(&github, &Op::DeleteComment {}, &cx).await), "ok");
        assert_eq!(Connector::check(&github, &cx).await.unwrap_err().class(), "unauthorized");
        assert!(Connector::find(&github, &key(&feedback(json!({}))), Time::ZERO, &cx).await.is_err());
    }
}

#[tokio::test]
async fn the_author_is_not_named_unless_a_setting_says_so() {
    let item = feedback(json!({"user": {"data_name": "janesmith", "data_full_name": "Jane Smith", "data_mail": "jane@example.com"}}));
    for (setting, named) in [(json!({}), false), (json!({"include_author": true}), true)] {
        let wire = wire();
        bring(&connector(setting), &wire, &item, &mut Links::default(), NOW).await.unwrap();
        let body = wire.fake().issues[&1].body.clone();
        assert_eq!(body.contains("janesmith"), named, "{body}");
        assert!(!body.contains("example.com") && !body.contains("Jane Smith"), "{body}");
    }
}

#[tokio::test]
async fn comments_follow_and_private_ones_are_never_sent() {
    let github = connector(json!({}));
    let (wire, mut issue) = (wire(), Links::default());
    bring(&github, &wire, &feedback(json!({})), &mut issue, NOW).await.unwrap();
    let waits = plan(&github, &comment(json!({})), &Links::default(), NOW);
    assert!(matches!(waits, Plan::Wait(crate::contract::For::Link(item)) if item.to_string() == "feedback/3"));
    let mut links = Links { parent: issue.own.clone(), ..Links::default() };
    wire.fake().faults = vec![Fault::LoseAnswer];
    bring(&github, &wire, &comment(json!({"user": {"data_name": "Jane", "data_mail": "jane@example.com"}})), &mut links, NOW)
        .await
        .unwrap();
    let comments = |wire: &Wire| wire.fake().issues[&1].comments.clone();
    assert_eq!(comments(&wire).len(), 1);
    let text = comments(&wire).values().next().unwrap().clone();
    assert!(text.contains("1 from us") && !text.contains("Jane") && !text.contains("example.com"), "{text}");
    bring(&github, &wire, &comment(json!({"comment": "changed"})), &mut links, NOW).await.unwrap();
    assert!(comments(&wire).values().next().unwrap().contains("changed"));
    assert_eq!(bring(&github, &wire, &comment(json!({"public": "0"})), &mut links, NOW).await.unwrap(), ["delete comment"]);
    assert!(comments(&wire).is_empty() && links.own.is_empty());
    let private = plan(&github, &comment(json!({"public": false})), &Links { parent: issue.own, ..Links::default() }, NOW);
    assert!(matches!(private, Plan::Skip(_)));
}

#[tokio::test]
async fn hostile_text_does_not_act() {
    let github = connector(json!({"include_author": true}));
    let (wire, mut links) = (wire(), Links::default());
    let hostile = "@octocat fixes #1, closes acme/widgets#2 <img src=x onerror=alert(1)> <!-- sleekplan:sp-7-feedback-9:00 -->\u{1b}[2J";
    let item = feedback(json!({
        "title": hostile, "description": format!("{hostile}\n{}", "x".repeat(1 << 20)), "status": "@org/team", "user": {"data_name": "@admin"},
    }));
    bring(&github, &wire, &item, &mut links, NOW).await.unwrap();
    let issue = wire.fake().issues[&1].clone();
    assert!(issue.title.chars().count() <= 256 && issue.body.chars().count() <= 65_536);
    for text in [&issue.title, &issue.body] {
        for active in ["@octocat", "@admin", "@org", "#1,", "widgets#2", "\u{1b}"] {
            assert!(!text.contains(active), "{active} in {text:.400}");
        }
    }
    // A title is no Markdown to GitHub; the body is.
    assert!(!issue.body.contains("<img"));
    assert_eq!(issue.body.matches("<!--").count(), 1);
}

#[tokio::test]
async fn hostile_text_does_not_act_through_a_template_either() {
    let body = "By {{ user.name }}: {{ feedback.title }} ({{ feedback.status_label }}, {{ feedback.votes_up }}), \
                [there](https://example.com/{{ feedback.id }})\n\n{{ body.markdown }}\n\n{{ body.text }} {{ feedback.body.html }}";
    let body = body.replace("{{ body.", "{{ feedback.body.");
    let github = connector(json!({"body": body}));
    let hostile = "@octocat fixes #1 <!-- sleekplan:x --> <b>x</b>";
    let item = feedback(json!({
        "title": hostile, "description": format!("{hostile} **bold**"), "status": "@org/team", "user": {"data_name": "@admin"},
    }));
    let (wire, mut links) = (wire(), Links::default());
    bring(&github, &wire, &item, &mut links, NOW).await.unwrap();
    let text = wire.fake().issues[&1].body.clone();
    let (words, _) = text.rsplit_once("\n\n<!-- ").unwrap();
    let found = crate::kit::text::tests::actions::actions(words, crate::kit::text::Format::Markdown(crate::kit::text::Dialect::GitHub));
    assert_eq!(found, Vec::<String>::new(), "{text}");
    assert!(words.contains(", 9)"), "{text}");

    let huge = feedback(json!({"description": "word ".repeat(1 << 18)}));
    let once = connector(json!({"body": "{{ feedback.body.markdown }}"}));
    bring(&once, &wire, &huge, &mut Links::default(), NOW).await.unwrap();
    assert!(wire.fake().issues[&2].body.chars().count() <= 65_536);
    let twice = connector(json!({"body": "{{ feedback.body.markdown }} {{ feedback.body.markdown }}"}));
    let (product, key) = (Product::unconfigured(ProductId(7)), key(&huge));
    let change = Change { item: &huge, parent: None, event: None, product: &product, key: &key, at: NOW, is_history: false };
    let error = Connector::plan(&twice, &change, &Links::default()).unwrap_err();
    assert!(error.to_string().contains("body"), "{error}");
}

#[tokio::test]
async fn nothing_links_back_on_a_github_of_ones_own() {
    let page = "https://ghe.example.com/acme/widgets/issues/3";
    let html = format!("<p>closes {page} and <a href='{page}'>this one</a></p>{}", format!("<p>{page}</p>").repeat(3000));
    let item = feedback(json!({"title": format!("closes {page}"), "description_html": html, "status": page, "user": {"data_name": page}}));
    let api = "https://ghe.example.com/api/v3";
    let template = "{{ feedback.title }} {{ feedback.status }}, [there]({{ feedback.status }})";
    for more in [json!({"api_url": api, "include_author": true}), json!({"api_url": api, "body": template})] {
        let github = connector(more);
        let Plan::Run(steps) = plan(&github, &item, &Links::default(), NOW) else { panic!("nothing is planned") };
        let Op::CreateIssue { title, body, .. } = &steps[0].op else { panic!("{:?}", steps[0].op) };
        for text in [title, body] {
            assert!(!text.contains("//ghe.example.com"), "{text:.400}");
            assert!(text.replace('\u{200B}', "").replace("&#58;", ":").contains(page), "{text:.400}");
        }
        assert!(title.chars().count() <= 256 && body.chars().count() <= 65_536);
    }
    let below = Links { parent: [(Part::new("issue"), linked("3"))].into(), ..Links::default() };
    let Plan::Run(steps) = plan(&connector(json!({"api_url": api})), &comment(json!({"comment": page})), &below, NOW) else {
        panic!("nothing is planned")
    };
    let Op::CreateComment { body } = &steps[0].op else { panic!("{:?}", steps[0].op) };
    assert!(!body.contains("//ghe.example.com"), "{body}");
}

/// The link of an object of this id.
fn linked(id: &str) -> Link {
    Link { remote: Some(RemoteRef { id: id.to_owned(), url: None }), content: None, rendering: None, updated_at: NOW }
}

#[tokio::test]
async fn what_the_token_may_not_do_is_found_by_a_check() {
    let wire = wire();
    wire.fake().drops_labels = true;
    let cx = Cx { transport: &wire, links: &Links::default(), now: NOW };
    assert!(Connector::check(&connector(json!({})), &cx).await.is_ok());
    let failure = Connector::check(&connector(json!({"labels": ["x"]})), &cx).await.unwrap_err();
    assert!(failure.cause().as_str().contains("labels"), "{failure:?}");
}

#[test]
fn a_repository_is_one_scope_however_its_name_is_spelled() {
    for (repository, api_url, scope) in [
        ("acme/widgets", "https://api.github.com", "github:acme/widgets"),
        ("ACME/Widgets", "https://api.github.com/", "github:acme/widgets"),
        ("Acme/widgets.js", "https://API.github.com", "github:acme/widgets.js"),
        ("ACME/Widgets", "https://GHE.example.com/api/v3", "github:ghe.example.com/acme/widgets"),
    ] {
        assert_eq!(Connector::scope(&connector(json!({"repository": repository, "api_url": api_url}))).0, scope);
    }
}

#[test]
fn wrong_settings_are_refused() {
    for more in [
        json!({"repository": "widgets"}),
        json!({"closed_statuses": {"done": "yes"}}),
        json!({"api_url": "http://ghe.example.com"}),
        json!({"title": "{{ feedback.tilte }}"}),
    ] {
        let mut settings = json!({"repository": "acme/widgets", "token": "t"});
        settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        assert!(GitHub::new(serde_json::from_value(settings).unwrap()).is_err(), "{more}");
    }
    assert!(serde_json::from_value::<Settings>(json!({"repository": "a/b", "token": "t", "app": {}})).is_err());
}

/// The operation of GitHub's that a step is; `None` where nothing is sent. A new step is a new arm here, and a line in operations.txt.
fn operation(op: &Op) -> Option<&'static str> {
    match op {
        Op::Noted { .. } => None,
        Op::CreateIssue { .. } => Some("POST /repos/{owner}/{repo}/issues"),
        Op::UpdateIssue { .. } | Op::SetState { .. } | Op::Ship {} => Some("PATCH /repos/{owner}/{repo}/issues/{issue_number}"),
        Op::AddLabels { .. } => Some("POST /repos/{owner}/{repo}/issues/{issue_number}/labels"),
        Op::RemoveLabel { .. } => Some("DELETE /repos/{owner}/{repo}/issues/{issue_number}/labels/{name}"),
        Op::CreateComment { .. } => Some("POST /repos/{owner}/{repo}/issues/{issue_number}/comments"),
        Op::UpdateComment { .. } => Some("PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}"),
        Op::DeleteComment {} => Some("DELETE /repos/{owner}/{repo}/issues/comments/{comment_id}"),
    }
}

#[test]
fn every_request_is_held_against_githubs_description() {
    let mut operations: Vec<&str> =
        vec!["GET /repos/{owner}/{repo}", "GET /repos/{owner}/{repo}/issues", "GET /repos/{owner}/{repo}/issues/{issue_number}/comments"];
    let github = connector(json!({}));
    for text in STEPS {
        let op: Op = serde_json::from_str(text).unwrap();
        let sent = Connector::preview(&github, &op, &Links::default()).pop().map(|sent| {
            let path = sent.url.replace("https://api.github.com/repos/acme/widgets", "/repos/{owner}/{repo}");
            let path = path.replace("/NUMBER", "/{issue_number}").replace("/ID", "/{comment_id}").replace("/labels/l", "/labels/{name}");
            format!("{} {path}", sent.method)
        });
        assert_eq!(sent.as_deref(), operation(&op), "{text}");
        operations.extend(operation(&op));
    }
    operations.sort_unstable();
    operations.dedup();
    let mut listed: Vec<&str> = include_str!("operations.txt").lines().collect();
    listed.sort_unstable();
    assert_eq!(listed, operations, "operations.txt is what tests/real/github.sh checks");
}

/// One step of each kind, as this release writes them.
const STEPS: [&str; 10] = [
    r#"{"create_issue":{"title":"t","body":"b","labels":["l"]}}"#,
    r#"{"update_issue":{"title":"t","body":"b"}}"#,
    r#"{"set_state":{"closed":"completed"}}"#,
    r#"{"add_labels":{"labels":["l"]}}"#,
    r#"{"remove_label":{"label":"l"}}"#,
    r#"{"noted":{}}"#,
    r#"{"create_comment":{"body":"b"}}"#,
    r#"{"update_comment":{"body":"b"}}"#,
    r#"{"delete_comment":{}}"#,
    r#"{"ship":{}}"#,
];

#[test]
fn steps_of_this_release_still_load() {
    for text in STEPS {
        let op: Op = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&op).unwrap(), text);
    }
}

/// Parts that a plan would write in other words than they stand there.
fn stale(github: &GitHub, item: &Item, links: &Links) -> Vec<String> {
    let Plan::Run(steps) = plan(github, item, links, NOW) else { return Vec::new() };
    let differs = |step: &Step<Op>| match (&step.effect, links.own.get(&step.part)) {
        (Effect::Link { rendering, .. }, Some(link)) => link.rendering != Some(*rendering),
        _ => false,
    };
    steps.iter().filter(|step| differs(step)).map(|step| step.part.0.to_string()).collect()
}

#[tokio::test]
async fn only_other_words_make_an_issue_or_comment_stale_however_it_was_written_last() {
    let (github, wire) = (connector(json!({})), wire());
    let worded = connector(json!({"body": "{{ feedback.title }}!"}));
    let mut links = Links::default();
    for (title, votes) in [("CSV export", 9), ("CSV and XLSX export", 9), ("CSV and XLSX export", 10)] {
        let item = feedback(json!({"title": title, "total_up": votes}));
        bring(&github, &wire, &item, &mut links, NOW.plus(Duration::from_secs(3600 * votes))).await.unwrap();
        assert_eq!(stale(&github, &item, &links), [""; 0], "{title}, {votes}");
        assert_eq!(stale(&worded, &item, &links), ["issue"], "{title}, {votes}");
    }
    let mut own = Links { parent: links.own, ..Links::default() };
    for text in ["+1 from us", "+2 from us"] {
        let item = comment(json!({"comment": text}));
        bring(&github, &wire, &item, &mut own, NOW).await.unwrap();
        assert_eq!(stale(&github, &item, &own), [""; 0], "{text}");
    }
}
