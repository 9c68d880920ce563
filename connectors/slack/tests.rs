//! What is said in a channel, and what Slack's answers mean.

mod ordinary;

use serde_json::{Value, json};

use super::fixture::inert;
use super::*;
use crate::contract::{Action, Effect, Repeat, Step};
use crate::testing::slack::{CHANNEL, Wire};
use crate::testing::{Engine, Given, comment, entry, feedback, key_of, product, subscriber, user};

/// 2026-03-03T12:00:00Z.
const NOW: Time = Time::from_ms(1_772_539_200_000);

fn slack(more: Value) -> Slack {
    built(json!({"token": "xoxb-1", "channel": CHANNEL}), more)
}

fn hook(more: Value) -> Slack {
    built(json!({"webhook_url": "https://hooks.slack.com/services/T1/B1/hunter2"}), more)
}

fn built(mut settings: Value, more: Value) -> Slack {
    settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    Slack::new(serde_json::from_value(settings).unwrap()).unwrap_or_else(|mistakes| panic!("{mistakes:?}"))
}

fn planned(slack: &Slack, given: &Given, links: &Links) -> Result<Plan<Op>, PlanError> {
    let key = key_of(&Connector::scope(slack), &given.item.id);
    let (parent, event) = (given.parent.as_ref(), given.event.as_ref());
    let change = Change { item: &given.item, parent, event, product: &product(), key: &key, at: given.at, is_history: false };
    Connector::plan(slack, &change, links)
}

fn steps(slack: &Slack, given: &Given, links: &Links) -> Vec<Step<Op>> {
    match planned(slack, given, links).unwrap() {
        Plan::Run(steps) => steps,
        other => panic!("{other:?}"),
    }
}

/// The one message that `given` makes where nothing is there yet.
fn message(slack: &Slack, given: &Given) -> Message {
    match steps(slack, given, &Links::default()).remove(0).op {
        Op::Post { message, .. } => message,
        other => panic!("{other:?}"),
    }
}

fn skipped(slack: &Slack, given: &Given, links: &Links) -> bool {
    matches!(planned(slack, given, links).unwrap(), Plan::Skip(_))
}

async fn bring(slack: &Slack, wire: &Wire, given: &Given, links: &mut Links) -> Vec<String> {
    let plan = planned(slack, given, links).unwrap();
    Engine::new(slack, wire, NOW).run(plan, links).await.unwrap_or_else(|failure| panic!("{failure:?}"))
}

fn below(links: &Links) -> Links {
    Links { parent: links.own.clone(), ..Links::default() }
}

fn shown(message: &Message) -> String {
    serde_json::to_string(message).unwrap()
}

#[test]
fn new_feedback_is_told_with_what_a_reader_wants_to_know() {
    let said = message(&slack(json!({"style": "event"})), &feedback(json!({})).announcing(Action::ItemCreate));
    assert_eq!(said.text, "New feedback: Export to CSV");
    let text = |pointer: &str| json!(said.blocks).pointer(pointer).cloned().unwrap();
    assert_eq!(text("/0/elements/0/text"), "*New feedback*  ·  Integrations  ·  In progress  ·  9 votes, 1 against");
    assert_eq!(text("/1/text/text"), "*<https://acme.sleekplan.app/feedback/48121|Export to CSV>*\nPlease add *CSV* export.");
    assert_eq!(text("/2/elements/0/url"), "https://acme.sleekplan.app/feedback/48121");
    assert_eq!(text("/2/elements/0/text/text"), "Open in Sleekplan");
    let news = message(&slack(json!({"style": "event"})), &entry(json!({})).announcing(Action::ChangelogCreate));
    assert_eq!(json!(news.blocks).pointer("/2/elements/1/text/text").unwrap(), "Try it");
}

#[tokio::test]
async fn an_item_has_one_message_that_follows_it_and_comments_stand_in_its_thread() {
    let (slack, wire, mut links) = (slack(json!({})), Wire::new(), Links::default());
    let post = feedback(json!({})).announcing(Action::ItemCreate);
    assert_eq!(bring(&slack, &wire, &post, &mut links).await, ["send message"]);
    let again = post.clone().changed(json!({"updated": "2026-03-03 10:00:00"})).announcing(Action::ItemUpdate);
    assert_eq!(bring(&slack, &wire, &again, &mut links).await, [""; 0], "nothing that is shown has changed");
    let done = post.clone().changed(json!({"status": "done"})).announcing(Action::ItemUpdate);
    assert_eq!(bring(&slack, &wire, &done, &mut links).await, ["edit message"]);

    let said = comment(&post, json!({})).announcing(Action::CommentCreate);
    let mut own = below(&links);
    assert_eq!(bring(&slack, &wire, &said, &mut own).await, ["send message"]);
    let vote = Given { item: voted(&post), event: None, ..said.clone() }.announcing(Action::VoteCreate);
    let [refresh] = steps(&slack, &vote, &below(&links)).try_into().unwrap();
    assert_eq!((refresh.name.to_string().as_str(), &refresh.effect), ("edit the feedback's message", &Effect::None));
    let cx = Cx { transport: &wire, links: &below(&links), now: NOW };
    Connector::apply(&slack, &refresh.op, &cx).await.unwrap();

    let messages = wire.fake().messages.clone();
    assert_eq!(messages.len(), 2);
    assert_eq!((messages[0].versions.len(), messages[0].thread.as_ref()), (3, None));
    assert_eq!(messages[1].thread.as_ref(), Some(&messages[0].ts));
    let private = said.clone().changed(json!({"public": false})).announcing(Action::CommentUpdate);
    assert_eq!(bring(&slack, &wire, &private, &mut own).await, ["delete message"]);
    assert_eq!((wire.fake().messages.len(), own.own.len()), (1, 0));
}

fn voted(post: &Given) -> crate::contract::Item {
    let id = crate::contract::ItemId::child(post.item.id.product(), ItemKind::Vote, "48121", "884001").unwrap();
    let fields = crate::contract::Fields::from_value(json!({"feedback_id": 48121, "vote": 1}));
    crate::contract::Item { id, fields, at: post.item.at, deleted: false }
}

#[test]
fn with_one_message_an_event_each_has_a_key_of_its_own() {
    let (slack, hook) = (slack(json!({"style": "event"})), hook(json!({})));
    let post = feedback(json!({})).announcing(Action::ItemCreate);
    let update = post.clone().changed(json!({})).announcing(Action::ItemUpdate);
    let repeats = [&post, &update].map(|given| steps(&slack, given, &Links::default()).remove(0).repeat);
    assert!(matches!(&repeats, [Repeat::Keyed(one), Repeat::Keyed(other)] if one != other), "{repeats:?}");
    assert_eq!(steps(&hook, &post, &Links::default()).remove(0).repeat, Repeat::Idempotent);
    assert!(skipped(&hook, &feedback(json!({})), &Links::default()), "no event, nothing to tell");
}

#[test]
fn what_is_private_or_not_published_is_told_nobody() {
    let post = feedback(json!({}));
    let told = |given: Given, more: Value| !skipped(&slack(more), &given, &Links::default());
    let private = || comment(&post, json!({"public": false})).announcing(Action::CommentCreate);
    for style in ["live", "event"] {
        assert!(!told(private(), json!({"style": style})));
        assert!(told(private(), json!({"style": style, "private_comments": true})));
        assert!(!told(entry(json!({"draft": true})).announcing(Action::ChangelogCreate), json!({"style": style})));
        assert!(!told(entry(json!({"segment": "enterprise"})).announcing(Action::ChangelogCreate), json!({"style": style})));
        assert!(!told(feedback(json!({"is_active": false})).announcing(Action::ItemCreate), json!({"style": style})));
    }
    assert!(!told(post.deleted().announcing(Action::ItemDelete), json!({})), "it was never told");
}

#[test]
fn no_address_is_told_and_a_name_only_where_a_setting_says_so() {
    let person = || json!({"user": {"data_name": "janesmith", "data_full_name": "Jane Smith", "data_mail": "jane@example.com"}});
    let post = feedback(person());
    for (setting, named) in [(json!({"style": "event"}), false), (json!({"style": "event", "include_author": true}), true)] {
        let slack = slack(setting);
        for given in [
            post.clone().announcing(Action::ItemCreate),
            comment(&post, person()).announcing(Action::CommentCreate),
            user(json!({})).announcing(Action::UserCreate),
            subscriber(json!({})).announcing(Action::ChangelogSubscribe),
        ] {
            let said = shown(&message(&slack, &given));
            assert_eq!(said.contains("janesmith"), named, "{said}");
            assert!(!said.contains("example.com") && !said.contains("Jane Smith"), "{said}");
        }
    }
    let mailed = user(json!({"data_name": "jane@example.com"})).announcing(Action::UserCreate);
    let said = shown(&message(&slack(json!({"include_author": true})), &mailed));
    assert!(!said.contains("example.com"), "{said}");
}

#[test]
fn hostile_text_calls_nobody_leads_nowhere_else_and_breaks_nothing() {
    let hostile = "<!channel> <!here|x> <@U024BE7LH> <#C1> @here & <https://evil.example|https://bank.example> *x* ```";
    let html = "<p><a href='https://evil.example/'>https://bank.example</a> <a href='javascript:alert(1)'>x</a> &lt;!everyone&gt;</p>";
    for more in [json!({}), json!({"template": "{{ feedback.title }} {{ user.name }} {{ feedback.body.markdown }} {{ feedback.status }}"})]
    {
        let slack = slack(json!({"style": "event", "include_author": true, "template": more.get("template")}));
        for size in [1, 100_000] {
            let text = hostile.repeat(size);
            let fields = json!({
                "title": text, "description_html": html.repeat(size), "status": hostile, "type": hostile, "user": {"data_name": "<!channel>"},
            });
            let said = message(&slack, &feedback(fields).announcing(Action::ItemCreate));
            assert_eq!(inert(&json!({"text": said.text, "blocks": said.blocks})), Ok(()));
            let said = shown(&said);
            for active in ["<!", "<@", "<#", "javascript:"] {
                assert!(!said.contains(active), "{active} in {said:.600}");
            }
        }
    }
}

#[test]
fn a_template_words_the_message_and_must_fit() {
    let worded = |template: &str| slack(json!({"style": "event", "template": template}));
    let post = feedback(json!({"title": "A & B", "description_html": "x".repeat(9_000)})).announcing(Action::ItemCreate);
    let said = message(&worded("*{{ feedback.title }}* has {{ feedback.votes_up }} votes"), &post);
    assert_eq!(json!(said.blocks).pointer("/0/text/text").unwrap(), "*A &amp; B* has 9 votes");
    assert!(
        planned(&worded("{{ feedback.body.markdown }}{{ feedback.body.text }}{{ feedback.body.html }}"), &post, &Links::default()).is_err()
    );
    assert!(planned(&worded("{{ comment.body.text or '' }}"), &post, &Links::default()).is_err(), "it gives nothing");
}

#[tokio::test]
async fn what_slack_answers_decides_what_follows() {
    let op = steps(&slack(json!({})), &feedback(json!({})).announcing(Action::ItemCreate), &Links::default()).remove(0).op;
    for (error, class) in [
        ("ratelimited", "transient"),
        ("service_unavailable", "transient"),
        ("fatal_error", "unknown"),
        ("internal_error", "unknown"),
        ("invalid_auth", "unauthorized"),
        ("not_in_channel", "unauthorized"),
        ("channel_not_found", "unauthorized"),
        ("is_archived", "unauthorized"),
        ("missing_scope", "unauthorized"),
        ("invalid_blocks", "rejected"),
        ("msg_too_long", "rejected"),
        ("something_new", "rejected"),
        ("message_not_found", "missing"),
    ] {
        let wire = Wire::new();
        wire.fake().errors = vec![error];
        let cx = Cx { transport: &wire, links: &Links::default(), now: NOW };
        let failure = Connector::apply(&slack(json!({})), &op, &cx).await.unwrap_err();
        assert_eq!(failure.class(), class, "{error}");
        assert!(failure.cause().as_str().contains(error), "{failure:?}");
    }
}

#[tokio::test]
async fn what_a_webhook_answers_decides_what_follows() {
    use crate::testing::service::{Act, Reply, Service};
    let service = Service::start(|_| Reply::empty(200).body("ok")).await;
    let slack = built(json!({"webhook_url": format!("{}/services/T1/B1/hunter2", service.url())}), json!({}));
    let op = steps(&slack, &feedback(json!({})).announcing(Action::ItemCreate), &Links::default()).remove(0).op;
    let client = crate::kit::http::Client::new(&crate::kit::http::ClientOptions {
        proxy: crate::kit::http::Proxy::None,
        ..crate::kit::http::ClientOptions::default()
    })
    .unwrap();
    let links = Links::default();
    let cx = Cx { transport: &client, links: &links, now: NOW };
    for (status, body, class) in [
        (200, "ok", "ok"),
        (200, "<html>Sign in</html>", "unknown"),
        (400, "invalid_payload", "rejected"),
        (403, "action_prohibited", "unauthorized"),
        (404, "no_service /services/T1/B1/hunter2", "unauthorized"),
        (410, "channel_is_archived", "unauthorized"),
        (429, "", "transient"),
        (500, "", "unknown"),
        (302, "", "rejected"),
    ] {
        service.script([Act::Answer(Reply::empty(status).body(body))]);
        let outcome = Connector::apply(&slack, &op, &cx).await;
        assert_eq!(outcome.as_ref().map_or_else(Failure::class, |_| "ok"), class, "{status} {body}");
        assert!(!format!("{outcome:?}").contains("hunter2"), "{outcome:?}");
    }
    for (status, body, class) in
        [(400, "no_text", "ok"), (404, "no_service", "unauthorized"), (403, "invalid_token", "unauthorized"), (500, "", "unknown")]
    {
        service.script([Act::Answer(Reply::empty(status).body(body))]);
        let checked = Connector::check(&slack, &cx).await;
        assert_eq!(checked.map_or_else(|failure| failure.class(), |()| "ok"), class, "{status} {body}");
    }
}

#[tokio::test]
async fn a_message_that_a_person_took_away_is_not_made_again() {
    let (slack, wire, mut links) = (slack(json!({})), Wire::new(), Links::default());
    let post = feedback(json!({})).announcing(Action::ItemCreate);
    bring(&slack, &wire, &post, &mut links).await;
    let ts = wire.fake().messages[0].ts.clone();
    wire.fake().person_deletes(&ts);
    let done = post.clone().changed(json!({"status": "done"})).announcing(Action::ItemUpdate);
    let step = steps(&slack, &done, &links).remove(0);
    let cx = Cx { transport: &wire, links: &links, now: NOW };
    assert_eq!(Connector::apply(&slack, &step.op, &cx).await.unwrap_err().class(), "missing");
    assert_eq!(Connector::on_missing(&slack), OnMissing::Leave);
    assert!(Connector::check(&slack, &cx).await.is_ok());
}

#[test]
fn wrong_settings_are_refused() {
    for settings in [
        json!({}),
        json!({"token": "xoxb-hunter2"}),
        json!({"channel": "#x"}),
        json!({"webhook_url": "https://hooks.slack.com/hunter2", "token": "xoxb-hunter2", "channel": "#x"}),
        json!({"webhook_url": "https://hooks.slack.com/hunter2", "style": "live"}),
        json!({"webhook_url": "http://hooks.slack.com/hunter2"}),
        json!({"token": "xoxb-hunter2", "channel": " # "}),
        json!({"token": "xoxb-hunter2", "channel": "#x", "api_url": "http://example.com"}),
        json!({"token": "xoxb-hunter2", "channel": "#x", "template": "{{ feedback.tilte }}"}),
    ] {
        let Err(mistakes) = Slack::new(serde_json::from_value(settings.clone()).unwrap()) else { panic!("{settings}") };
        assert!(!format!("{mistakes:?}").contains("hunter2"), "{mistakes:?}");
    }
}
