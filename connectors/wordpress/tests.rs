//! The connector against a fake WordPress that answers like the real one.

use serde_json::{Value, json};

use super::*;
use crate::contract::{Item, Product, Response};
use crate::kit::http::Stage;
use crate::testing::wordpress::{Post as Kept, Wire};
use crate::testing::{Engine, Given, entry, key_of, product};

const NOW: Time = Time::from_ms(1_772_539_200_000);

fn connector(more: Value) -> WordPress {
    let mut settings = json!({"url": "https://blog.example.com", "username": "bot", "application_password": "abcd efgh"});
    settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    WordPress::new(serde_json::from_value(settings).unwrap()).unwrap()
}

fn plan_of(site: &WordPress, item: &Item, links: &Links) -> Plan<Op> {
    let (product, key): (Product, RemoteKey) = (product(), key_of(&Connector::scope(site), &item.id));
    let change = Change { item, parent: None, event: None, product: &product, key: &key, at: NOW, is_history: false };
    Connector::plan(site, &change, links).unwrap()
}

async fn bring(site: &WordPress, wire: &Wire, given: &Given, links: &mut Links) -> Result<Vec<String>, Failure> {
    Engine::new(site, wire, NOW).run(plan_of(site, &given.item, links), links).await
}

fn only(wire: &Wire) -> (u64, Kept) {
    let fake = wire.fake();
    assert_eq!(fake.posts.len(), 1, "{:?}", fake.posts);
    fake.posts.iter().map(|(id, post)| (*id, post.clone())).next().unwrap()
}

fn content(post: &Kept) -> String {
    post.fields["content"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_post_follows_its_entry() {
    let site = connector(json!({}));
    let (wire, mut links, news) = (Wire::new(), Links::default(), entry(json!({"title": "CSV & Schöne <Grüße>"})));
    assert_eq!(bring(&site, &wire, &news, &mut links).await.unwrap(), ["create draft", "publish"]);
    let (id, post) = only(&wire);
    assert_eq!((post.status.as_str(), post.slug.as_str()), ("publish", "csv-schone-grusse-771"));
    assert_eq!(post.fields["title"], "CSV &amp; Schöne &lt;Grüße&gt;");
    assert_eq!(post.fields["date_gmt"], "2026-03-03T12:00:00");
    assert!(content(&post).starts_with("<!-- wp:html -->\n<!-- sleekplan:sp-5456534244-changelog-771:"), "{}", content(&post));
    assert!(
        content(&post).contains("<strong>CSV</strong>")
            && content(&post).contains("<a href=\"https://example.com\" class=\"wp-block-button__link")
    );
    let address = links.own[&plan::STATE].remote.as_ref().unwrap().url.clone();
    assert_eq!(address.as_deref(), Some("https://blog.example.com/csv-schone-grusse-771/"));

    let edited = news.clone().changed(json!({"title": "CSV and PDF"}));
    assert_eq!(bring(&site, &wire, &edited, &mut links).await.unwrap(), ["update post"]);
    let (_, post) = only(&wire);
    assert_eq!((post.fields["title"].as_str().unwrap(), post.slug.as_str()), ("CSV and PDF", "csv-schone-grusse-771"));
    let withdrawn = edited.clone().changed(json!({"enabled": false}));
    assert_eq!(bring(&site, &wire, &withdrawn, &mut links).await.unwrap(), ["unpublish"]);
    assert_eq!((only(&wire).1.status.as_str(), links.own[&plan::STATE].remote.as_ref().unwrap().url.as_ref()), ("draft", None));
    assert_eq!(bring(&site, &wire, &edited, &mut links).await.unwrap(), ["publish"]);
    let (again, post) = only(&wire);
    assert_eq!((again, post.status.as_str()), (id, "publish"));
}

#[tokio::test]
async fn what_a_person_changed_is_parked_overwritten_or_kept() {
    for (setting, class, title) in
        [("park", "rejected", "CSV export is here"), ("overwrite", "ok", "new"), ("keep", "ok", "CSV export is here")]
    {
        let site = connector(json!({"on_remote_edit": setting}));
        let (wire, mut links, news) = (Wire::new(), Links::default(), entry(json!({})));
        bring(&site, &wire, &news, &mut links).await.unwrap();
        let (id, _) = only(&wire);
        wire.fake().person_changes(id, "publish");
        let edited = news.changed(json!({"title": "new"}));
        for _ in 0..2 {
            let outcome = bring(&site, &wire, &edited, &mut links).await;
            assert_eq!(outcome.as_ref().map_or_else(Failure::class, |_| "ok"), class, "{setting}");
            assert_eq!(only(&wire).1.fields["title"], title, "{setting}");
            if let Err(failure) = outcome {
                assert!(failure.cause().as_str().contains("a person changed post"), "{failure:?}");
            }
        }
        // What is kept stays the person's at the next edit too.
        let again = edited.changed(json!({"title": "newer"}));
        let outcome = bring(&site, &wire, &again, &mut links).await;
        assert_eq!(outcome.as_ref().map_or_else(Failure::class, |_| "ok"), class, "{setting}");
        assert_eq!(only(&wire).1.fields["title"] == "newer", setting == "overwrite", "{setting}");
    }
}

#[tokio::test]
async fn our_own_write_whose_answer_was_lost_is_no_persons() {
    let site = connector(json!({}));
    let (wire, mut links, news) = (Wire::new(), Links::default(), entry(json!({})));
    bring(&site, &wire, &news, &mut links).await.unwrap();
    let edited = news.changed(json!({"title": "new"}));
    let before = links.clone();
    bring(&site, &wire, &edited, &mut links).await.unwrap();
    let written = only(&wire).1.modified;
    // The answer never came: the links are the old ones, and the same step is done again.
    let mut links = before;
    assert_eq!(bring(&site, &wire, &edited, &mut links).await.unwrap(), ["update post"]);
    assert_eq!(only(&wire).1.modified, written);
    // Asked to write all of it again, it does not take what a person did since for its own.
    let (id, _) = only(&wire);
    wire.fake().person_changes(id, "publish");
    links.own.get_mut(&plan::POST).unwrap().content = None;
    assert_eq!(bring(&site, &wire, &edited, &mut links).await.unwrap_err().class(), "rejected");
}

#[tokio::test]
async fn no_step_makes_a_persons_words_ours() {
    for on_unpublish in ["draft", "trash", "delete"] {
        let site = connector(json!({"on_unpublish": on_unpublish}));
        let (wire, mut links, news) = (Wire::new(), Links::default(), entry(json!({})));
        bring(&site, &wire, &news, &mut links).await.unwrap();
        wire.fake().person_changes(1, "publish");
        bring(&site, &wire, &news.clone().changed(json!({"draft": true})), &mut links).await.unwrap();
        // Nobody reads it any more, and nothing of it is lost, in a trash that is emptied, or past it.
        assert_eq!(wire.fake().posts[&1].status, "draft", "{on_unpublish}");
        // Not by the way back either, nor by an edit after that.
        for title in ["CSV export is here", "edited"] {
            let back = bring(&site, &wire, &news.clone().changed(json!({"title": title})), &mut links).await;
            assert_eq!(back.unwrap_err().class(), "rejected", "{on_unpublish} {title}");
        }
        assert_eq!(only(&wire).1.fields["title"], "CSV export is here");
    }
}

#[tokio::test]
async fn a_status_whose_answer_was_lost_is_ours() {
    for on_unpublish in ["draft", "trash"] {
        let site = connector(json!({"on_unpublish": on_unpublish}));
        let (wire, mut links, news) = (Wire::new(), Links::default(), entry(json!({})));
        let withdrawn = news.clone().changed(json!({"draft": true}));
        for given in [&news, &withdrawn, &news] {
            let before = links.clone();
            bring(&site, &wire, given, &mut links).await.unwrap();
            // As if the last answer had not come: the state is the old one.
            match before.own.get(&plan::STATE) {
                Some(state) => drop(links.own.insert(plan::STATE, state.clone())),
                None => drop(links.own.remove(&plan::STATE)),
            }
            bring(&site, &wire, given, &mut links).await.unwrap();
        }
        bring(&site, &wire, &news.changed(json!({"title": "edited"})), &mut links).await.unwrap();
        assert_eq!(only(&wire).1.fields["title"], "edited", "{on_unpublish}");
    }
}

#[tokio::test]
async fn who_came_after_a_write_whose_answer_was_lost_is_seen() {
    let site = connector(json!({}));
    let (wire, mut links, news) = (Wire::new(), Links::default(), entry(json!({})));
    bring(&site, &wire, &news, &mut links).await.unwrap();
    let (edited, mut before) = (news.clone().changed(json!({"title": "new"})), links.clone());
    bring(&site, &wire, &edited, &mut links).await.unwrap();
    wire.fake().person_changes(1, "publish");
    assert_eq!(bring(&site, &wire, &edited, &mut before).await.unwrap_err().class(), "rejected");

    // The same of a create that is looked up.
    let wire = Wire::new();
    let mut links = Links::default();
    bring(&site, &wire, &news, &mut links).await.unwrap();
    wire.fake().person_changes(1, "draft");
    let key = key_of(&Connector::scope(&site), &news.item.id);
    let cx = Cx { transport: &wire, links: &Links::default(), now: NOW };
    assert_eq!(Connector::find(&site, &key, NOW, &cx).await.unwrap().unwrap().id, "1@-");
}

#[tokio::test]
async fn what_a_person_published_is_taken_back_with_its_entry() {
    for status in ["draft", "pending"] {
        let site = connector(json!({"status": status}));
        let (wire, mut links, news) = (Wire::new(), Links::default(), entry(json!({})));
        bring(&site, &wire, &news, &mut links).await.unwrap();
        assert_eq!(only(&wire).1.status, status);
        wire.fake().person_changes(1, "publish");
        bring(&site, &wire, &news.changed(json!({"draft": true})), &mut links).await.unwrap();
        assert_eq!(only(&wire).1.status, "draft", "{status}");
    }
}

#[tokio::test]
async fn an_entry_without_a_date_keeps_the_one_it_was_published_with() {
    let site = connector(json!({}));
    let (wire, mut links, news) = (Wire::new(), Links::default(), entry(json!({"created": null})));
    bring(&site, &wire, &news, &mut links).await.unwrap();
    bring(&site, &wire, &news.changed(json!({"title": "new"})), &mut links).await.unwrap();
    let (_, post) = only(&wire);
    assert_eq!((post.fields["title"].as_str().unwrap(), post.fields["date_gmt"].as_str().unwrap()), ("new", "2026-03-03T12:00:00"));
}

#[tokio::test]
async fn terms_are_found_created_and_exchanged_and_those_of_people_stay() {
    let site = connector(json!({
        "categories": ["R&D"], "tags": ["Release"], "type_categories": {"integrations": "New", "bug": "Fixed"}, "on_remote_edit": "overwrite",
    }));
    let (wire, mut links, news) = (Wire::new(), Links::default(), entry(json!({})));
    wire.fake().terms.entry("categories".to_owned()).or_default().insert(90, "r&d".to_owned());
    bring(&site, &wire, &news, &mut links).await.unwrap();
    let (id, _) = only(&wire);
    assert_eq!(wire.fake().names(id, "categories"), ["r&d", "New"]);
    assert_eq!(wire.fake().names(id, "tags"), ["Release"]);
    {
        let mut fake = wire.fake();
        fake.terms.get_mut("categories").unwrap().insert(91, "By a person".to_owned());
        fake.posts.get_mut(&id).unwrap().terms.get_mut("categories").unwrap().push(91);
    }
    bring(&site, &wire, &news.clone().changed(json!({"type": "bug"})), &mut links).await.unwrap();
    assert_eq!(wire.fake().names(id, "categories"), ["r&d", "By a person", "Fixed"]);
    // A name that WordPress takes for another's.
    let site = connector(json!({"tags": ["re-lease"]}));
    bring(&site, &wire, &entry(json!({"changelog_id": 772})), &mut Links::default()).await.unwrap();
    let second = *wire.fake().posts.keys().max().unwrap();
    assert_eq!(wire.fake().names(second, "tags"), ["Release"]);
}

#[tokio::test]
async fn a_twin_is_removed_and_the_address_of_another_post_is_not_taken() {
    let site = connector(json!({}));
    let (wire, news) = (Wire::new(), entry(json!({})));
    // The first create was still being worked on when it was looked for, and shows up after the second.
    wire.fake().hides = 2;
    bring(&site, &wire, &news, &mut Links::default()).await.unwrap();
    wire.fake().posts.values_mut().for_each(|post| post.hidden = 1);
    wire.fake().hides = 0;
    let mut links = Links::default();
    bring(&site, &wire, &news, &mut links).await.unwrap();
    assert_eq!(only(&wire).0, 1);
    assert_eq!(known::post_id(&links), Some("1"));

    let wire = Wire::new();
    wire.fake().others_post(1);
    wire.fake().posts.get_mut(&1).unwrap().slug = "csv-export-is-here-771".to_owned();
    let mut links = Links::default();
    bring(&site, &wire, &news, &mut links).await.unwrap();
    assert_eq!(wire.fake().posts[&2].slug, "csv-export-is-here-771-2");
    assert_eq!(wire.fake().posts.len(), 2);
}

#[tokio::test]
async fn a_withdrawn_post_goes_where_a_setting_says_and_comes_back() {
    for (setting, status) in [("draft", Some("draft")), ("trash", Some("trash")), ("delete", None), ("keep", Some("publish"))] {
        let site = connector(json!({"on_unpublish": setting}));
        let (wire, mut links, news) = (Wire::new(), Links::default(), entry(json!({})));
        bring(&site, &wire, &news, &mut links).await.unwrap();
        let withdrawn = news.clone().changed(json!({"draft": true}));
        bring(&site, &wire, &withdrawn, &mut links).await.unwrap();
        let left = wire.fake().posts.get(&1).map(|post| post.status.clone());
        assert_eq!(left.as_deref(), status, "{setting}");
        for title in ["CSV export is here", "CSV export? Is here!"] {
            bring(&site, &wire, &withdrawn.clone().changed(json!({"draft": false, "title": title})), &mut links).await.unwrap();
            let (_, post) = only(&wire);
            assert_eq!((post.status.as_str(), post.slug.as_str()), ("publish", "csv-export-is-here-771"), "{setting}");
            assert_eq!(post.fields["title"], title, "{setting}");
            bring(&site, &wire, &withdrawn.clone().changed(json!({"title": title})), &mut links).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_post_that_a_person_deleted_or_trashed_is_missing_and_can_be_made_again() {
    let site = connector(json!({}));
    for trashed in [true, false] {
        let (wire, mut links, news) = (Wire::new(), Links::default(), entry(json!({})));
        bring(&site, &wire, &news, &mut links).await.unwrap();
        if trashed {
            wire.fake().person_changes(1, "trash");
            wire.fake().posts.get_mut(&1).unwrap().slug.push_str("__trashed");
        } else {
            wire.fake().posts.clear();
        }
        let edited = news.clone().changed(json!({"title": "new"}));
        assert_eq!(bring(&site, &wire, &edited, &mut links).await.unwrap_err().class(), "missing");
        // Nothing is to be withdrawn, so nothing is wrong.
        bring(&site, &wire, &news.clone().deleted(), &mut links.clone()).await.unwrap();
        // As `on_missing = "recreate"` does: the links are forgotten.
        bring(&site, &wire, &edited, &mut Links::default()).await.unwrap();
        let (_, post) = only(&wire);
        // What lies in the trash is the one, if it would have the same address.
        assert_eq!((post.status.as_str(), post.fields["title"].as_str().unwrap()), ("publish", "new"));
    }
}

#[tokio::test]
async fn a_status_that_comes_back_otherwise_is_reported() {
    let site = connector(json!({}));
    let (wire, mut links, news) = (Wire::new(), Links::default(), entry(json!({})));
    wire.fake().publishes_as = Some("pending");
    let failure = bring(&site, &wire, &news, &mut links).await.unwrap_err();
    assert_eq!(failure.class(), "rejected");
    assert!(failure.cause().as_str().contains("told to be `publish`, and WordPress says it is `pending`"), "{failure:?}");
}

#[tokio::test]
async fn images_are_in_the_library_once_each_and_keep_no_post_back() {
    let site = connector(json!({"featured_image": true}));
    let (wire, mut links) = (Wire::new(), Links::default());
    let html = "<p>a <img src='https://storage.sleekplan.com/a.png?x=1&amp;y=2'> <img src='https://storage.sleekplan.com/missing.png'> \
                <img src='https://storage.sleekplan.com/b.png'></p>";
    let news = entry(json!({"description_html": html}));
    let steps = bring(&site, &wire, &news, &mut links).await.unwrap();
    assert_eq!(steps, ["upload image", "upload image", "upload image", "create draft", "publish"]);
    let (media, slug) = wire.fake().media.first_key_value().map(|(id, slug)| (*id, slug.clone())).unwrap();
    // The same bytes under two addresses.
    assert_eq!(wire.fake().media.len(), 1);
    let post = wire.fake().posts.values().next().unwrap().clone();
    let place = format!("https://blog.example.com/wp-content/uploads/{slug}.png");
    assert_eq!(content(&post).matches(&place).count(), 2, "{}", content(&post));
    assert!(content(&post).contains("https://storage.sleekplan.com/missing.png") && !content(&post).contains("invalid"));
    assert_eq!(post.fields["featured_media"], media);
    let edited = news.changed(json!({"title": "new"}));
    // The one that could not be had is tried again.
    assert_eq!(bring(&site, &wire, &edited, &mut links).await.unwrap(), ["upload image", "update post"]);
    // Another entry shows it too.
    bring(&site, &wire, &entry(json!({"changelog_id": 772, "description_html": html})), &mut Links::default()).await.unwrap();
    assert_eq!(wire.fake().media.len(), 1);

    let wire = Wire::new();
    wire.fake().refuses_images = true;
    bring(&site, &wire, &entry(json!({"description_html": html})), &mut Links::default()).await.unwrap();
    assert_eq!(only(&wire).1.status, "publish");
}

#[tokio::test]
async fn posts_that_keep_no_text_are_not_made_again_and_again() {
    let (wire, site) = (Wire::new(), connector(json!({})));
    wire.fake().is_textless = true;
    let failure = bring(&site, &wire, &entry(json!({})), &mut Links::default()).await.unwrap_err();
    assert_eq!((failure.class(), wire.fake().posts.len()), ("rejected", 0), "{failure:?}");
}

#[tokio::test]
async fn a_check_names_what_the_site_lacks() {
    let (wire, links) = (Wire::new(), Links::default());
    let cx = Cx { transport: &wire, links: &links, now: NOW };
    assert!(Connector::check(&connector(json!({"tags": ["x"]})), &cx).await.is_ok());
    for (settings, said) in [
        (json!({"post_type": "news"}), "no post_type `news` in the REST API; there are notes, pages, posts"),
        (json!({"post_type": "pages", "tags": ["x"]}), "posts of `pages` have no `post_tag`"),
        (json!({"post_type": "notes"}), "posts of `notes` keep no text"),
    ] {
        let failure = Connector::check(&connector(settings), &cx).await.unwrap_err();
        assert!(failure.cause().as_str().contains(said), "{failure:?}");
    }
    for (takes, said) in [(true, "drops the Authorization header"), (false, "it needs https")] {
        (wire.fake().knows_nobody, wire.fake().takes_passwords) = (true, takes);
        let failure = Connector::check(&connector(json!({})), &cx).await.unwrap_err();
        assert!(failure.class() == "unauthorized" && failure.cause().as_str().contains(said), "{failure:?}");
    }
}

#[test]
fn refusals_are_what_wordpress_and_its_guards_mean_by_them() {
    let of = |status: u16, body: &str, stage: Stage| {
        let response =
            Response { status: http::StatusCode::from_u16(status).unwrap(), headers: http::HeaderMap::new(), body: body.to_owned().into() };
        crate::kit::http::classify(Ok(response), stage, refusal::refine).map_or_else(|failure| failure.class(), |_| "ok")
    };
    let code = |code: &str| format!("{{\"code\":\"{code}\",\"message\":\"Sorry\",\"data\":{{\"status\":400}}}}");
    let page = "<html><title>Access Denied</title></html>";
    for (status, body, stage, class) in [
        (200, "<br /><b>Notice</b>: x in y on line 1<br />{\"id\":1}".to_owned(), Stage::Create, "unknown"),
        (
            400,
            "{\"code\":\"rest_invalid_param\",\"data\":{\"details\":{\"status\":{\"code\":\"rest_forbidden_status\"}}}}".to_owned(),
            Stage::Find,
            "unauthorized",
        ),
        (400, code("rest_invalid_param"), Stage::Create, "rejected"),
        (401, code("rest_cannot_create"), Stage::Create, "unauthorized"),
        (403, code("rest_cannot_edit"), Stage::Update, "rejected"),
        (403, code("rest_cannot_publish"), Stage::Update, "unauthorized"),
        (403, code("rest_cannot_create"), Stage::Create, "unauthorized"),
        (
            500,
            "{\"code\":\"db_insert_error\",\"additional_data\":[\"field failed: post_content. x\"]}".to_owned(),
            Stage::Create,
            "rejected",
        ),
        (500, "{\"code\":\"db_insert_error\",\"additional_data\":[\"Deadlock found\"]}".to_owned(), Stage::Create, "unknown"),
        (403, page.to_owned(), Stage::Find, "unauthorized"),
        (404, code("rest_post_invalid_id"), Stage::Update, "missing"),
        (404, code("rest_no_route"), Stage::Update, "unauthorized"),
        (404, page.to_owned(), Stage::Update, "unauthorized"),
        (500, page.to_owned(), Stage::Create, "unknown"),
        (500, code("rest_upload_sideload_error"), Stage::Create, "rejected"),
        (501, code("rest_trash_not_supported"), Stage::Update, "rejected"),
        (503, "<html><title>Maintenance</title></html>".to_owned(), Stage::Update, "unknown"),
    ] {
        assert_eq!(of(status, &body, stage), class, "{status} {body}");
    }
}

#[test]
fn a_slug_is_a_part_of_an_address_with_the_entrys_number() {
    let slug = |settings: Value, fields: Value| {
        let Plan::Run(steps) = plan_of(&connector(settings), &entry(fields).item, &Links::default()) else { panic!("nothing is planned") };
        let Op::CreateDraft(post) = &steps[0].op else { panic!("{:?}", steps[0].op) };
        post.slug.clone()
    };
    assert_eq!(slug(json!({}), json!({"title": "  Über uns: 100 % …/../ "})), "uber-uns-100-771");
    assert_eq!(slug(json!({}), json!({"title": "2026"})), "entry-771");
    assert_eq!(slug(json!({}), json!({"title": ""})), "entry-771");
    assert_eq!(slug(json!({"slug": "news/{{ entry.id }}"}), json!({})), "news-771");
    assert!(slug(json!({}), json!({"title": "x".repeat(300)})).ends_with("-771"));
}

#[test]
fn wrong_settings_are_refused_by_name() {
    for (key, value) in [
        ("url", json!("http://blog.example.com")),
        ("username", json!("a:b")),
        ("application_password", json!("a\nb")),
        ("post_type", json!("a/b")),
        ("categories", json!([" "])),
        ("tags", json!([""])),
        ("type_categories", json!({"bug": ""})),
        ("slug", json!("{{ entry.tilte }}")),
        ("title", json!("{{ entry.tilte }}")),
        ("content", json!("{{ entry.body.htm }}")),
    ] {
        let mut settings = json!({"url": "https://blog.example.com", "username": "bot", "application_password": "x"});
        settings[key] = value;
        let mistakes = WordPress::new(serde_json::from_value(settings).unwrap()).err().unwrap();
        assert_eq!(mistakes[0].key, key, "{mistakes:?}");
    }
}
