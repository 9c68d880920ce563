//! The connector against a fake Ghost that answers like the real one.

mod ordinary;

use serde_json::{Value, json};

use super::*;
use crate::contract::{Item, Product, Repeat, RetryAfter};
use crate::testing::ghost::{Post as Kept, Wire};
use crate::testing::{Engine, Given, entry, key_of, product};

const NOW: Time = Time::from_ms(1_772_539_200_000);

fn connector(more: Value) -> Ghost {
    let mut settings = json!({"url": "https://blog.example.com", "admin_api_key": "6b06efacdcf3f953299adcba:00ff10"});
    settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    Ghost::new(serde_json::from_value(settings).unwrap()).unwrap()
}

fn plan_of(ghost: &Ghost, item: &Item, links: &Links, is_history: bool) -> Plan<Op> {
    let (product, key): (Product, RemoteKey) = (product(), key_of(&Connector::scope(ghost), &item.id));
    let change = Change { item, parent: None, event: None, product: &product, key: &key, at: NOW, is_history };
    Connector::plan(ghost, &change, links).unwrap()
}

async fn run(ghost: &Ghost, wire: &Wire, plan: Plan<Op>, links: &mut Links) -> Result<Vec<String>, Failure> {
    Engine::new(ghost, wire, NOW).run(plan, links).await
}

async fn bring(ghost: &Ghost, wire: &Wire, given: &Given, links: &mut Links) -> Result<Vec<String>, Failure> {
    run(ghost, wire, plan_of(ghost, &given.item, links, false), links).await
}

fn only(wire: &Wire) -> (String, Kept) {
    let fake = wire.fake();
    assert_eq!(fake.posts.len(), 1);
    fake.posts.iter().map(|(id, post)| (id.clone(), post.clone())).next().unwrap()
}

#[tokio::test]
async fn a_post_follows_its_entry() {
    let ghost = connector(json!({"tags": ["Changelog"]}));
    let (wire, mut links, news) = (Wire::new(), Links::default(), entry(json!({})));
    assert_eq!(bring(&ghost, &wire, &news, &mut links).await.unwrap(), ["create draft", "publish"]);
    let (id, post) = only(&wire);
    assert_eq!((post.status.as_str(), post.tags[0].as_str()), ("published", "Changelog"));
    assert_eq!(post.fields["published_at"], "2026-03-03T12:00:00.000Z");
    assert_eq!(post.fields["canonical_url"], "https://acme.sleekplan.app/changelog/771");
    assert_eq!(post.fields["custom_excerpt"], "You can now export a board to CSV.");
    assert!(post.fields["html"].as_str().unwrap().contains("<strong>CSV</strong>") && post.mails.is_empty());
    let address = links.own[&plan::STATE].remote.as_ref().unwrap().url.clone();
    assert_eq!(address.as_deref(), Some(format!("https://blog.example.com/{id}/").as_str()));

    let edited = news.clone().changed(json!({"title": "CSV and PDF"}));
    assert_eq!(bring(&ghost, &wire, &edited, &mut links).await.unwrap(), ["update post"]);
    assert_eq!(only(&wire).1.fields["title"], "CSV and PDF");
    let withdrawn = edited.clone().changed(json!({"enabled": false}));
    assert_eq!(bring(&ghost, &wire, &withdrawn, &mut links).await.unwrap(), ["unpublish"]);
    assert_eq!((only(&wire).1.status.as_str(), links.own[&plan::STATE].remote.as_ref().unwrap().url.as_ref()), ("draft", None));
    assert_eq!(bring(&ghost, &wire, &edited, &mut links).await.unwrap(), ["publish"]);
    let (again, post) = only(&wire);
    assert_eq!((again, post.status.as_str()), (id, "published"));
}

#[tokio::test]
async fn a_newsletter_is_mailed_once_and_never_for_history() {
    let ghost = connector(json!({"newsletter": "default-newsletter"}));
    let (wire, mut links, news) = (Wire::new(), Links::default(), entry(json!({})));
    let plan = plan_of(&ghost, &news.item, &links, false);
    let Plan::Run(steps) = &plan else { panic!("{plan:?}") };
    let publish = steps.iter().find(|step| step.name.to_string() == "publish").unwrap().op.clone();
    assert!(steps.iter().all(|step| step.repeat != Repeat::Once));
    assert_eq!(run(&ghost, &wire, plan.clone(), &mut links).await.unwrap(), ["create draft", "publish", "note", "confirm mailing"]);
    assert_eq!(only(&wire).1.mails, ["default-newsletter"]);
    // The answer was lost, and the step is done again: Ghost is asked, and nothing is sent.
    let before = only(&wire).1.updated;
    Connector::apply(&ghost, &publish, &Cx { transport: &wire, links: &links, now: NOW }).await.unwrap();
    assert_eq!(only(&wire).1.updated, before);

    let withdrawn = news.clone().changed(json!({"draft": true}));
    bring(&ghost, &wire, &withdrawn, &mut links).await.unwrap();
    let Plan::Run(steps) = plan_of(&ghost, &news.item, &links, false) else { panic!("nothing is planned") };
    assert!(steps.iter().all(|step| !matches!(&step.op, Op::Publish { newsletter: Some(_), .. })), "{steps:?}");
    bring(&ghost, &wire, &news, &mut links).await.unwrap();
    assert_eq!(only(&wire).1.mails.len(), 1);

    let (wire, mut links) = (Wire::new(), Links::default());
    run(&ghost, &wire, plan_of(&ghost, &news.item, &links, true), &mut links).await.unwrap();
    assert_eq!((only(&wire).1.status.as_str(), only(&wire).1.mails.len()), ("published", 0));
}

#[tokio::test]
async fn a_mailing_is_looked_at_until_ghost_says_what_became_of_it() {
    let ghost = connector(json!({"newsletter": "default-newsletter"}));
    let (wire, mut links, news) = (Wire::new(), Links::default(), entry(json!({})));
    wire.fake().mailing = Some(("pending", ""));
    assert_eq!(bring(&ghost, &wire, &news, &mut links).await.unwrap_err().class(), "transient");
    let look = async |seconds| {
        let now = NOW.plus(Duration::from_secs(seconds));
        Connector::apply(&ghost, &Op::ConfirmMailing {}, &Cx { transport: &wire, links: &links, now }).await.unwrap_err()
    };
    for (seconds, pause) in [(0, 2), (20, 20), (3_000, 60)] {
        let failure = look(seconds).await;
        let expected = Some(RetryAfter::In(Duration::from_secs(pause)));
        assert!(matches!(failure, Failure::Transient { retry_after, .. } if retry_after == expected), "{seconds}: {failure:?}");
    }
    assert!(look(3_601).await.cause().as_str().contains("after an hour"), "{:?}", look(3_601).await);

    // An edit does not make it forgotten, and nothing is mailed again.
    wire.fake().mailing = Some(("failed", "The domain is not verified"));
    let edited = news.changed(json!({"title": "new"}));
    let failure = bring(&ghost, &wire, &edited, &mut links).await.unwrap_err();
    assert!(failure.class() == "rejected" && failure.cause().as_str().contains("The domain is not verified"), "{failure:?}");
    assert_eq!((only(&wire).1.fields["title"].as_str(), only(&wire).1.mails.len()), (Some("new"), 1));
    wire.fake().mailing = None;
    assert_eq!(bring(&ghost, &wire, &edited, &mut links).await.unwrap(), ["confirm mailing"]);
    assert_eq!(bring(&ghost, &wire, &edited, &mut links).await.unwrap(), [""; 0]);
}

#[tokio::test]
async fn what_a_person_changed_is_parked_overwritten_or_kept() {
    for (setting, class, title) in
        [("park", "rejected", "CSV export is here"), ("overwrite", "ok", "new"), ("keep", "ok", "CSV export is here")]
    {
        let ghost = connector(json!({"on_remote_edit": setting}));
        let (wire, mut links, news) = (Wire::new(), Links::default(), entry(json!({})));
        bring(&ghost, &wire, &news, &mut links).await.unwrap();
        let (id, _) = only(&wire);
        wire.fake().person_changes(&id, "published");
        let edited = news.changed(json!({"title": "new"}));
        let outcome = bring(&ghost, &wire, &edited, &mut links).await;
        assert_eq!(outcome.as_ref().map_or_else(Failure::class, |_| "ok"), class, "{setting}");
        assert_eq!(only(&wire).1.fields["title"], title, "{setting}");
        if let Err(failure) = outcome {
            assert!(failure.cause().as_str().contains("a person changed this post"), "{failure:?}");
        }
    }
}

#[tokio::test]
async fn a_collision_is_tried_again_and_the_tags_of_people_stay() {
    let ghost = connector(json!({"tags": ["Changelog"], "on_remote_edit": "overwrite"}));
    let (wire, mut links, news) = (Wire::new(), Links::default(), entry(json!({})));
    bring(&ghost, &wire, &news, &mut links).await.unwrap();
    let (id, _) = only(&wire);
    wire.fake().collisions = 1;
    let edited = news.changed(json!({"title": "new"}));
    assert_eq!(bring(&ghost, &wire, &edited, &mut links).await.unwrap_err().class(), "transient");
    wire.fake().posts.get_mut(&id).unwrap().tags = vec!["By a person".to_owned(), "changelog".to_owned()];
    bring(&ghost, &wire, &edited, &mut links).await.unwrap();
    let (_, post) = only(&wire);
    assert_eq!(post.fields["title"], "new");
    assert_eq!(post.tags[..2], ["By a person", "changelog"]);
    assert!(post.tags.len() == 3 && post.tags[2].starts_with("#sp-5456534244-changelog-771-"), "{:?}", post.tags);
}

#[tokio::test]
async fn images_are_uploaded_once_each_and_keep_no_post_back() {
    let ghost = connector(json!({"feature_image": true}));
    let (wire, mut links) = (Wire::new(), Links::default());
    let html = "<p>a <img src='https://storage.sleekplan.com/a.png?x=1&amp;y=2'> <img src='https://storage.sleekplan.com/missing.png'> \
                <img src='https://storage.sleekplan.com/a.png?x=1&amp;y=2'></p>";
    let news = entry(json!({"description_html": html}));
    let steps = bring(&ghost, &wire, &news, &mut links).await.unwrap();
    assert_eq!(steps, ["upload image", "upload image", "create draft", "publish"]);
    let (_, post) = only(&wire);
    let html = post.fields["html"].as_str().unwrap();
    assert_eq!(html.matches("https://blog.example.com/content/images/0.png").count(), 2, "{html}");
    assert!(html.contains("https://storage.sleekplan.com/missing.png") && !html.contains("invalid"), "{html}");
    assert_eq!(post.fields["feature_image"], "https://blog.example.com/content/images/0.png");
    let edited = news.changed(json!({"title": "new"}));
    // The one that could not be had is tried again.
    assert_eq!(bring(&ghost, &wire, &edited, &mut links).await.unwrap(), ["upload image", "update post"]);
    assert_eq!(wire.fake().images.len(), 1);
}

#[tokio::test]
async fn a_withdrawn_post_is_deleted_or_kept_where_a_setting_says_so() {
    for (setting, left) in [("delete", 0), ("keep", 1)] {
        let ghost = connector(json!({"on_unpublish": setting}));
        let (wire, mut links, news) = (Wire::new(), Links::default(), entry(json!({})));
        bring(&ghost, &wire, &news, &mut links).await.unwrap();
        bring(&ghost, &wire, &news.deleted(), &mut links).await.unwrap();
        assert_eq!(wire.fake().posts.len(), left, "{setting}");
        assert_eq!(links.own.is_empty(), left == 0);
    }
}

#[tokio::test]
async fn a_post_that_a_person_changed_is_not_deleted_untold() {
    for (setting, class, left) in [("park", "rejected", Some("published")), ("keep", "ok", Some("draft")), ("overwrite", "ok", None)] {
        let ghost = connector(json!({"on_unpublish": "delete", "on_remote_edit": setting}));
        let (wire, mut links, news) = (Wire::new(), Links::default(), entry(json!({})));
        bring(&ghost, &wire, &news, &mut links).await.unwrap();
        let (id, _) = only(&wire);
        wire.fake().person_changes(&id, "published");
        let outcome = bring(&ghost, &wire, &news.deleted(), &mut links).await;
        assert_eq!(outcome.as_ref().map_or_else(Failure::class, |_| "ok"), class, "{setting}");
        assert_eq!(wire.fake().posts.get(&id).map(|post| post.status.clone()).as_deref(), left, "{setting}");
    }
}

#[tokio::test]
async fn a_post_that_a_person_scheduled_is_not_published_untold() {
    for (setting, class, status) in [("park", "rejected", "scheduled"), ("keep", "ok", "scheduled"), ("overwrite", "ok", "published")] {
        let ghost = connector(json!({"on_remote_edit": setting}));
        let (wire, mut links, news) = (Wire::new(), Links::default(), entry(json!({})));
        bring(&ghost, &wire, &news, &mut links).await.unwrap();
        bring(&ghost, &wire, &news.clone().changed(json!({"draft": true})), &mut links).await.unwrap();
        let (id, _) = only(&wire);
        wire.fake().person_changes(&id, "scheduled");
        let outcome = bring(&ghost, &wire, &news, &mut links).await;
        assert_eq!(outcome.as_ref().map_or_else(Failure::class, |_| "ok"), class, "{setting}");
        assert_eq!(only(&wire).1.status, status, "{setting}");
    }
}

#[tokio::test]
async fn a_post_that_a_person_deleted_is_missing() {
    let ghost = connector(json!({}));
    let (wire, mut links, news) = (Wire::new(), Links::default(), entry(json!({})));
    bring(&ghost, &wire, &news, &mut links).await.unwrap();
    wire.fake().posts.clear();
    let edited = news.changed(json!({"title": "new"}));
    assert_eq!(bring(&ghost, &wire, &edited, &mut links).await.unwrap_err().class(), "missing");
}

#[tokio::test]
async fn a_check_names_a_newsletter_that_is_not_there() {
    let (wire, links) = (Wire::new(), Links::default());
    let cx = Cx { transport: &wire, links: &links, now: NOW };
    assert!(Connector::check(&connector(json!({"newsletter": "default-newsletter"})), &cx).await.is_ok());
    let failure = Connector::check(&connector(json!({"newsletter": "nope"})), &cx).await.unwrap_err();
    assert!(failure.cause().as_str().contains("`nope`"), "{failure:?}");
}

#[test]
fn a_token_is_what_ghost_verifies() {
    // Signed with Python's hmac over the same bytes.
    let token = token::token(&connector(json!({})).ready, NOW);
    let parts: Vec<&str> = token.expose().split('.').collect();
    assert_eq!(parts[0], "eyJhbGciOiJIUzI1NiIsImtpZCI6IjZiMDZlZmFjZGNmM2Y5NTMyOTlhZGNiYSIsInR5cCI6IkpXVCJ9");
    assert_eq!(parts[1], "eyJhdWQiOiIvYWRtaW4vIiwiZXhwIjoxNzcyNTM5NTAwLCJpYXQiOjE3NzI1MzkyMDB9");
    assert_eq!(parts[2], "SrdQfCLTH1CZyGpQR8jAvfaq5W2S73yf69bazoga6r4");
}

#[test]
fn words_do_not_ask_for_a_readers_data() {
    let news =
        entry(json!({"title": "%%{email}%%".repeat(50), "description_html": "<img src='https://e.test/%%{uuid}%%'><p>%%{uuid}%%</p>"}));
    let Plan::Run(steps) = plan_of(&connector(json!({"copy_images": false})), &news.item, &Links::default(), false) else {
        panic!("nothing is planned")
    };
    let Op::CreateDraft(post) = &steps[0].op else { panic!("{:?}", steps[0].op) };
    assert!(post.title.chars().count() <= 255 && post.excerpt.as_ref().is_some_and(|text| text.chars().count() <= 300), "{post:?}");
    assert!(!serde_json::to_string(&steps[0].op).unwrap().contains("%%{"), "{:?}", steps[0].op);
}

#[test]
fn wrong_settings_are_refused_by_name() {
    for (key, value) in [
        ("url", json!("http://blog.example.com")),
        ("admin_api_key", json!("6b06")),
        ("admin_api_key", json!("6b06:xyz1")),
        ("tags", json!([" "])),
        ("newsletter", json!("a b")),
        ("title", json!("{{ entry.tilte }}")),
        ("content", json!("{{ entry.body.htm }}")),
    ] {
        let mut settings = json!({"url": "https://blog.example.com", "admin_api_key": "6b06:00ff"});
        settings[key] = value;
        let mistakes = Ghost::new(serde_json::from_value(settings).unwrap()).err().unwrap();
        assert_eq!(mistakes[0].key, key, "{mistakes:?}");
    }
}
