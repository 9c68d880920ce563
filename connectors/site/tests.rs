//! Pages, feeds and CHANGELOG.md in a real folder.

mod git;
mod ordinary;

use std::path::Path;

use async_trait::async_trait;
use serde_json::{Value, json};
use url::Url;

use super::*;
use crate::contract::{Fields, Item, ItemId, Part, Product, ProductId, Repeat, Request, Response, Transport, TransportError, Unsent};
use crate::testing::Engine;

/// Serves one PNG, wherever it is asked for.
struct Pictures;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\nrest";

#[async_trait]
impl Transport for Pictures {
    async fn send(&self, _request: Request) -> Result<Response, TransportError> {
        Err(TransportError { unsent: Unsent::Certainly, source: Cause::new("no service here") })
    }

    async fn fetch_untrusted(&self, _url: &Url) -> Result<Response, TransportError> {
        Ok(Response { status: http::StatusCode::OK, headers: http::HeaderMap::new(), body: PNG.into() })
    }
}

fn site(folder: &Path, more: Value) -> Site {
    let mut settings = json!({"path": folder});
    settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    Site::new(serde_json::from_value(settings).unwrap()).unwrap()
}

fn entry(more: Value) -> Item {
    let mut fields = json!({
        "changelog_id": 771, "title": "CSV export: it's \"here\"", "type": "feature", "created": "2026-03-03 12:00:00",
        "description_html": "<p>You can <b>export</b>.</p><p><img src=\"https://storage.sleekplan.com/a.png\" alt=\"shot\"></p>",
        "settings": {"cta": {"href": "https://example.com/?a=1&b=2", "text": "Try <it>"}},
    });
    fields.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    Item {
        id: ItemId::top(ProductId(7), ItemKind::Changelog, "771").unwrap(),
        fields: Fields::from_value(fields),
        at: Time::from_ms(1_772_539_200_000),
        deleted: false,
    }
}

/// Plans and applies like the engine does, every step twice: an idempotent one leaves the same files.
async fn bring(site: &Site, item: &Item, links: &mut Links) -> Result<(), Failure> {
    let product =
        Product { entry_url: Some("https://acme.example/changelog/{{ entry.id }}".to_owned()), ..Product::unconfigured(ProductId(7)) };
    let key = RemoteKey::new(format!("sp-7-changelog-{}", item.id.id()), "0123456789abcdef".to_owned());
    let change = Change { item, parent: None, event: None, product: &product, key: &key, at: Time::ZERO, is_history: false };
    let plan = Connector::plan(site, &change, links).unwrap();
    assert!(!matches!(&plan, Plan::Run(steps) if steps.iter().any(|step| step.repeat != Repeat::Idempotent)), "{plan:?}");
    let engine = Engine { twice: true, ..Engine::new(site, &Pictures, Time::ZERO) };
    engine.run(plan, links).await.map(drop)
}

fn read(folder: &Path, path: &str) -> String {
    std::fs::read_to_string(folder.join(path)).unwrap_or_default()
}

#[tokio::test]
async fn every_format_gets_its_own_front_matter_and_path() {
    let table = [
        (
            "hugo",
            "content/changelog/entry-771.md",
            "---\ntitle: \"CSV export: it's \\\"here\\\"\"\ndate: 2026-03-03T12:00:00Z\ndraft: false\nslug: \"entry-771\"\ntags: [\"feature\"]\n",
        ),
        (
            "zola",
            "content/changelog/entry-771.md",
            "+++\ntitle = \"CSV export: it's \\\"here\\\"\"\ndate = 2026-03-03T12:00:00Z\ndraft = false\nslug = \"entry-771\"\n[extra]\n",
        ),
        (
            "jekyll",
            "_posts/2026-03-03-entry-771.md",
            "---\nlayout: post\ntitle: \"CSV export: it's \\\"here\\\"\"\ndate: 2026-03-03 12:00:00 +0000\npublished: true\nrender_with_liquid: false\n",
        ),
        (
            "astro",
            "src/content/changelog/entry-771.md",
            "---\ntitle: \"CSV export: it's \\\"here\\\"\"\npubDate: 2026-03-03T12:00:00Z\ndraft: false\n",
        ),
        (
            "docusaurus",
            "changelog/entry-771.md",
            "---\ntitle: \"CSV export: it's \\\"here\\\"\"\ndate: 2026-03-03T12:00:00Z\nslug: \"entry-771\"\ndraft: false\nformat: md\n",
        ),
        ("plain", "changelog/entry-771.md", "---\ntitle: \"CSV export: it's \\\"here\\\"\"\ndate: 2026-03-03T12:00:00Z\ndraft: false\n"),
    ];
    for (format, path, front_matter) in table {
        let folder = tempfile::tempdir().unwrap();
        bring(&site(folder.path(), json!({"format": format})), &entry(json!({})), &mut Links::default()).await.unwrap();
        let page = read(folder.path(), path);
        assert!(page.starts_with(front_matter), "{format}: {page}");
        assert!(
            page.contains("sleekplan_key") && page.contains("**export**") && page.contains("https://example.com/?a=1"),
            "{format}: {page}"
        );
        assert!(!page.contains("image.sleeksync.invalid") && page.contains("entry-771-"), "{format}: {page}");
    }
}

#[tokio::test]
async fn an_entry_is_edited_in_place_and_withdrawn() {
    let folder = tempfile::tempdir().unwrap();
    let site = site(folder.path(), json!({"format": "jekyll", "changelog_file": "CHANGELOG.md"}));
    let mut links = Links::default();
    bring(&site, &entry(json!({})), &mut links).await.unwrap();
    bring(&site, &entry(json!({"title": "Second", "created": "2026-04-04 00:00:00"})), &mut links).await.unwrap();
    let page = "_posts/2026-03-03-entry-771.md";
    assert!(read(folder.path(), page).contains("title: \"Second\""), "the path is fixed at first publication");
    assert!(read(folder.path(), "CHANGELOG.md").contains("### Added") && read(folder.path(), "assets/changelog.rss").contains("Second"));
    for hidden in [json!({"draft": true}), json!({"segment": "vip"}), json!({"enabled": "0"})] {
        bring(&site, &entry(hidden), &mut links).await.unwrap();
        assert!(!folder.path().join(page).exists() && links.own.is_empty());
        assert!(!read(folder.path(), "assets/changelog.atom").contains("771") && !read(folder.path(), "CHANGELOG.md").contains("Second"));
        assert_eq!(std::fs::read_dir(folder.path().join("assets/changelog-images")).unwrap().count(), 0);
        bring(&site, &entry(json!({})), &mut links).await.unwrap();
        assert!(folder.path().join(page).exists());
    }
}

#[tokio::test]
async fn a_withdrawn_page_may_stay_as_a_draft() {
    let folder = tempfile::tempdir().unwrap();
    let site = site(folder.path(), json!({"format": "hugo", "on_unpublish": "draft"}));
    let mut links = Links::default();
    bring(&site, &entry(json!({"draft": "1"})), &mut links).await.unwrap();
    assert!(!folder.path().join("content").exists(), "what was never public is not written");
    bring(&site, &entry(json!({})), &mut links).await.unwrap();
    bring(&site, &entry(json!({"draft": "1"})), &mut links).await.unwrap();
    assert!(read(folder.path(), "content/changelog/entry-771.md").contains("draft: true"));
}

#[tokio::test]
async fn a_file_that_a_person_wrote_is_not_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let site = site(folder.path(), json!({}));
    std::fs::create_dir_all(folder.path().join("changelog")).unwrap();
    std::fs::write(folder.path().join("changelog/entry-771.md"), "mine").unwrap();
    let refused = bring(&site, &entry(json!({})), &mut Links::default()).await.unwrap_err();
    assert!(matches!(&refused, Failure::Rejected { source } if source.as_str().contains("not written by sleeksync")), "{refused:?}");
    assert_eq!(read(folder.path(), "changelog/entry-771.md"), "mine");
}

#[tokio::test]
async fn a_feed_that_a_person_wrote_is_not_overwritten() {
    for feed in ["changelog.rss", "changelog.atom", "changelog.json"] {
        let folder = tempfile::tempdir().unwrap();
        let site = site(folder.path(), json!({}));
        let mine = "<rss version=\"2.0\"><channel><item><title>mine</title></item></channel></rss>";
        std::fs::write(folder.path().join(feed), mine).unwrap();
        let refused = bring(&site, &entry(json!({})), &mut Links::default()).await.unwrap_err();
        assert!(matches!(&refused, Failure::Rejected { source } if source.as_str().contains("not written by sleeksync")), "{refused:?}");
        assert_eq!(read(folder.path(), feed), mine);
        std::fs::remove_file(folder.path().join(feed)).unwrap();
        bring(&site, &entry(json!({})), &mut Links::default()).await.unwrap();
        assert!(read(folder.path(), feed).contains("771"), "{feed}");
    }
}

#[tokio::test]
async fn a_lost_or_damaged_manifest_empties_no_file_and_is_refilled_by_a_person() {
    let folder = tempfile::tempdir().unwrap();
    let site = site(folder.path(), json!({"changelog_file": "CHANGELOG.md"}));
    let numbered =
        |id: &str| Item { id: ItemId::top(ProductId(7), ItemKind::Changelog, id).unwrap(), ..entry(json!({"title": format!("No. {id}")})) };
    for id in ["1", "2", "3"] {
        bring(&site, &numbered(id), &mut Links::default()).await.unwrap();
    }
    let files = ["changelog.rss", "changelog.atom", "changelog.json", "CHANGELOG.md"];
    let shown = || files.map(|file| ["No. 1", "No. 2", "No. 3"].map(|title| read(folder.path(), file).contains(title)));
    for manifest in [".sleeksync/changelog/feeds.json", ".sleeksync/changelog/changelog.json"] {
        let path = folder.path().join(manifest);
        let kept = std::fs::read(&path).unwrap();
        for lose in [|path: &Path| std::fs::remove_file(path).unwrap(), |path: &Path| std::fs::write(path, "{\"<<<<").unwrap()] {
            lose(&path);
            let refused = bring(&site, &numbered("3"), &mut Links::default()).await.unwrap_err();
            assert!(matches!(&refused, Failure::Rejected { source } if source.as_str().contains("sleeksync replay")), "{refused:?}");
            assert_eq!(shown(), [[true; 3]; 4]);
        }
        std::fs::write(&path, kept).unwrap();
        bring(&site, &numbered("3"), &mut Links::default()).await.unwrap();
    }
    std::fs::remove_dir_all(folder.path().join(".sleeksync")).unwrap();
    files.iter().for_each(|file| std::fs::remove_file(folder.path().join(file)).unwrap());
    for id in ["1", "2", "3"] {
        bring(&site, &numbered(id), &mut Links::default()).await.unwrap();
    }
    assert_eq!(shown(), [[true; 3]; 4]);
}

#[tokio::test]
async fn two_connectors_publish_into_two_folders_of_one_site() {
    let folder = tempfile::tempdir().unwrap();
    let first = json!({"format": "hugo", "directory": "content/acme", "feed_directory": "static/acme", "changelog_file": "ACME.md"});
    let second = json!({"format": "hugo", "directory": "content/bolt", "feed_directory": "static/bolt", "changelog_file": "BOLT.md"});
    let sites = [site(folder.path(), first), site(folder.path(), second)];
    let numbered = |id: u32| Item { id: ItemId::top(ProductId(7), ItemKind::Changelog, &id.to_string()).unwrap(), ..entry(json!({})) };
    for id in 1..=20 {
        let (one, other) = (numbered(id), numbered(id));
        let (mut here, mut there) = (Links::default(), Links::default());
        let (one, other) = tokio::join!(bring(&sites[0], &one, &mut here), bring(&sites[1], &other, &mut there));
        one.unwrap();
        other.unwrap();
    }
    for name in ["acme", "bolt"] {
        let rss = rss::Channel::read_from(read(folder.path(), &format!("static/{name}/changelog.rss")).as_bytes()).unwrap();
        assert_eq!(rss.items().len(), 20, "{name}");
        assert_eq!(read(folder.path(), &format!("{}.md", name.to_uppercase())).matches("sleeksync:entry").count(), 20);
    }
}

#[test]
fn a_place_is_one_however_it_is_spelled() {
    let of = |path: &str, directory: &str| {
        let site = site(Path::new(path), json!({"directory": directory, "feeds": ["rss"], "changelog_file": "./docs//CHANGELOG.md"}));
        (Connector::scope(&site).0, Connector::claims(&site).into_iter().map(|claim| claim.place).collect::<Vec<_>>())
    };
    let places = ["/srv/s/changelog.rss".to_owned(), "/srv/s/news/images".to_owned(), "/srv/s/docs/CHANGELOG.md".to_owned()];
    for (path, directory) in [("/srv/s", "news"), ("/srv/s/.", "news/"), ("/srv//s/", "./news"), ("/srv/./s", "news/.")] {
        assert_eq!(of(path, directory), ("site:/srv/s/news".to_owned(), places.to_vec()), "{path} {directory}");
    }
    assert_eq!(of("./s", "news").0, of("s", "news").0);
    assert_eq!(of("/srv/s", ".").0, "site:/srv/s");
}

#[tokio::test]
async fn feeds_are_read_back_with_stable_ids() {
    let folder = tempfile::tempdir().unwrap();
    let site = site(folder.path(), json!({"feed_url": "https://acme.example/feeds/"}));
    bring(&site, &entry(json!({"title": "A ]]> & </title> B", "description_html": "<p>]]> x</p>"})), &mut Links::default()).await.unwrap();
    let rss = rss::Channel::read_from(read(folder.path(), "changelog.rss").as_bytes()).unwrap();
    let atom = atom_syndication::Feed::read_from(read(folder.path(), "changelog.atom").as_bytes()).unwrap();
    let json: Value = serde_json::from_str(&read(folder.path(), "changelog.json")).unwrap();
    let id = "tag:sleeksync,2026:sp-7-changelog-771";
    assert_eq!((rss.items()[0].guid().unwrap().value(), rss.items()[0].title().unwrap()), (id, "A ]]> & </title> B"));
    assert_eq!(rss.items()[0].pub_date(), Some("Tue, 3 Mar 2026 12:00:00 +0000"));
    assert_eq!((atom.entries()[0].id(), atom.entries()[0].title().as_str(), atom.authors().len()), (id, "A ]]> & </title> B", 1));
    assert_eq!((json["items"][0]["id"].as_str(), json["items"][0]["url"].as_str()), (Some(id), Some("https://acme.example/changelog/771")));
    assert!(rss.items()[0].content().unwrap().contains("]]&gt; x") || rss.items()[0].content().unwrap().contains("]]> x"));
}

#[tokio::test]
async fn what_is_unchanged_is_left_untouched() {
    let folder = tempfile::tempdir().unwrap();
    let site = site(folder.path(), json!({}));
    let mut links = Links::default();
    bring(&site, &entry(json!({})), &mut links).await.unwrap();
    let touched = || std::fs::metadata(folder.path().join("changelog/entry-771.md")).unwrap().modified().unwrap();
    let before = touched();
    bring(&site, &entry(json!({})), &mut links).await.unwrap();
    assert_eq!(before, touched());
}

#[tokio::test]
async fn hostile_front_matter_stays_a_string() {
    let folder = tempfile::tempdir().unwrap();
    let site = site(folder.path(), json!({"format": "hugo"}));
    let hostile = json!({"title": "x\n---\ndraft: false\n\"}} {{< evil >}}", "type": "a\"]\nlayout: evil", "description_html": "<p>{{&lt; evil &gt;}}</p>"});
    bring(&site, &entry(hostile), &mut Links::default()).await.unwrap();
    let page = read(folder.path(), "content/changelog/entry-771.md");
    assert_eq!(page.lines().filter(|line| *line == "---").count(), 2, "{page}");
    let body = page.rsplit("---\n").next().unwrap();
    assert!(!body.contains("{{<") && !page.contains("\nlayout: evil"), "{page}");
}

#[tokio::test]
async fn settings_that_leave_the_folder_are_refused() {
    for setting in ["directory", "feed_directory", "changelog_file"] {
        for path in ["../x", "/etc", ""] {
            let settings: Settings = serde_json::from_value(json!({"path": "/srv", setting: path})).unwrap();
            assert_eq!(Site::new(settings).err().unwrap()[0].key, setting);
        }
    }
    assert!(serde_json::from_value::<Settings>(json!({"path": "/srv", "git": {"force": true}})).is_err());
    for (setting, value) in [
        ("remote", "--upload-pack=x"),
        ("remote", "https://ann:secret@git.example/x"),
        ("branch", "-x"),
        ("branch", "a..b"),
        ("author_name", " "),
    ] {
        let settings: Settings = serde_json::from_value(json!({"path": "/srv", "git": {setting: value}})).unwrap();
        assert_eq!(Site::new(settings).err().unwrap()[0].key, format!("git.{setting}"), "{value}");
    }
}

#[tokio::test]
async fn a_removal_that_stopped_behind_the_page_takes_the_entry_out_of_the_lists_when_tried_again() {
    let (folder, mut links) = (tempfile::tempdir().unwrap(), Links::default());
    let site = site(folder.path(), json!({"format": "hugo", "changelog_file": "CHANGELOG.md"}));
    bring(&site, &entry(json!({"title": "Withdrawn"})), &mut links).await.unwrap();
    links.own.remove(&Part::new("page"));
    bring(&site, &entry(json!({"title": "Withdrawn", "draft": true})), &mut links).await.unwrap();
    for file in ["CHANGELOG.md", "static/changelog.rss", "static/changelog.json"] {
        assert!(folder.path().join(file).exists() && !read(folder.path(), file).contains("Withdrawn"), "{file}");
    }
    assert!(links.own.is_empty(), "{links:?}");
}

#[tokio::test]
async fn the_page_part_is_known_by_its_path() {
    let folder = tempfile::tempdir().unwrap();
    let site = site(folder.path(), json!({}));
    let mut links = Links::default();
    bring(&site, &entry(json!({})), &mut links).await.unwrap();
    let link = links.own.get(&Part::new("page")).unwrap().remote.clone().unwrap();
    assert_eq!(link, RemoteRef { id: "changelog/entry-771.md".to_owned(), url: Some("https://acme.example/changelog/771".to_owned()) });
    let key = RemoteKey::new("sp-7-changelog-771".to_owned(), "0123456789abcdef".to_owned());
    let cx = Cx { transport: &Pictures, links: &links, now: Time::ZERO };
    assert_eq!(Connector::find(&site, &key, Time::ZERO, &cx).await.unwrap().unwrap().id, "changelog/entry-771.md");
    Connector::check(&site, &cx).await.unwrap();
}

#[tokio::test]
async fn a_page_is_ours_after_its_folder_moved_and_with_it_the_signature() {
    let folder = tempfile::tempdir().unwrap();
    for format in ["hugo", "zola", "jekyll"] {
        let site = site(folder.path(), json!({"format": format}));
        bring(&site, &entry(json!({})), &mut Links::default()).await.unwrap();
        let pages = site.settings.path.join(site.settings.directory()).read_dir().unwrap();
        let path = pages.map(|file| file.unwrap().path()).find(|path| path.extension().is_some_and(|kind| kind == "md")).unwrap();
        let page = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, page.replace("0123456789abcdef", "fedcba9876543210")).unwrap();
        bring(&site, &entry(json!({"title": "Moved"})), &mut Links::default()).await.unwrap();
        assert!(std::fs::read_to_string(&path).unwrap().contains("Moved"), "{format}");
        // Another entry's page, or a text that only speaks of ours, is not.
        for foreign in ["---\nsleekplan_key: \"sp-7-changelog-77:00\"\n---\n", "---\nx: y\n---\nsleekplan_key: \"sp-7-changelog-771:00\"\n"]
        {
            std::fs::write(&path, foreign).unwrap();
            assert!(bring(&site, &entry(json!({"title": "Again"})), &mut Links::default()).await.is_err(), "{format}");
        }
        std::fs::remove_file(path).unwrap();
    }
}

#[test]
fn dates_are_read_in_the_zone_of_the_workspace_and_written_with_theirs() {
    let (site, item) = (site(Path::new("/srv/site"), json!({"format": "jekyll"})), entry(json!({"created": "2026-03-04 00:30:00"})));
    let item = Item { at: Time::from_ms(1_772_625_600_000), ..item };
    let product = Product { time_zone: jiff::tz::TimeZone::get("Europe/Berlin").unwrap(), ..Product::unconfigured(ProductId(7)) };
    let key = RemoteKey::new("sp-7-changelog-771".to_owned(), "00".to_owned());
    let change = Change { item: &item, parent: None, event: None, product: &product, key: &key, at: Time::ZERO, is_history: false };
    let Plan::Run(steps) = Connector::plan(&site, &change, &Links::default()).unwrap() else { panic!("nothing is planned") };
    let Op::Write(page) = &steps[0].op else { panic!("{:?}", steps[0].op) };
    assert!(page.front_matter.contains("date: 2026-03-03 23:30:00 +0000"), "{}", page.front_matter);
    assert_eq!(page.path, "_posts/2026-03-03-entry-771.md");
}

#[tokio::test]
async fn an_entry_dated_ahead_of_the_clock_is_dated_when_it_was_sent() {
    let folder = tempfile::tempdir().unwrap();
    bring(&site(folder.path(), json!({"format": "hugo"})), &entry(json!({"created": "2026-03-09 08:00:00"})), &mut Links::default())
        .await
        .unwrap();
    let page = read(folder.path(), "content/changelog/entry-771.md");
    assert!(page.contains("\ndate: 2026-03-03T12:00:00Z\n"), "{page}");
    assert!(read(folder.path(), "static/changelog.rss").contains("Tue, 3 Mar 2026 12:00:00 +0000"));
}

#[tokio::test]
async fn a_changelog_file_that_is_not_utf8_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let site = site(folder.path(), json!({"changelog_file": "CHANGELOG.md"}));
    let latin = b"# \xc4nderungen\n";
    std::fs::write(folder.path().join("CHANGELOG.md"), latin).unwrap();
    let refused = bring(&site, &entry(json!({})), &mut Links::default()).await.unwrap_err();
    assert!(matches!(&refused, Failure::Rejected { source } if source.as_str().contains("not UTF-8")), "{refused:?}");
    assert_eq!(std::fs::read(folder.path().join("CHANGELOG.md")).unwrap(), latin);
}

#[tokio::test]
async fn an_entry_has_no_heading_that_looks_like_the_changelog_files_own() {
    let folder = tempfile::tempdir().unwrap();
    let site = site(folder.path(), json!({"changelog_file": "CHANGELOG.md"}));
    let html = "<h1>Big</h1><h2>[1.0.0] - 2026-01-01</h2><h3>Added</h3><pre># Big\n## [1.0.0]</pre><p>## [2.0.0] - 2026-01-01</p>";
    bring(&site, &entry(json!({"title": "# Big", "description_html": html})), &mut Links::default()).await.unwrap();
    let file = read(folder.path(), "CHANGELOG.md");
    let headings: Vec<&str> = file.lines().map(str::trim_start).filter(|line| line.starts_with('#') && !line.starts_with("####")).collect();
    assert_eq!(
        headings,
        ["# Changelog", "## [2026-03-03] - 2026-03-03", "### Added", "# Big", "## [1.0.0]"],
        "the last two are code: {file}"
    );
    assert!(file.contains("  #### Big\n") && file.contains("  ```\n  # Big\n"), "{file}");
}

#[tokio::test]
async fn feeds_are_valid_without_any_address() {
    let folder = tempfile::tempdir().unwrap();
    let product = Product::unconfigured(ProductId(7));
    let key = RemoteKey::new("sp-7-changelog-771".to_owned(), "00".to_owned());
    let item = entry(json!({}));
    let change = Change { item: &item, parent: None, event: None, product: &product, key: &key, at: Time::ZERO, is_history: false };
    let mut ids = Vec::new();
    for directory in ["news", "news & more", "."] {
        let site = site(folder.path(), json!({"directory": directory, "feed_directory": directory}));
        let Plan::Run(steps) = Connector::plan(&site, &change, &Links::default()).unwrap() else { panic!("nothing is planned") };
        for step in steps {
            Connector::apply(&site, &step.op, &Cx { transport: &Pictures, links: &Links::default(), now: Time::ZERO }).await.unwrap();
        }
        let rss = rss::Channel::read_from(read(folder.path(), &format!("{directory}/changelog.rss")).as_bytes()).unwrap();
        assert_eq!(rss.link(), "https://sleekplan.com");
        let atom = atom_syndication::Feed::read_from(read(folder.path(), &format!("{directory}/changelog.atom")).as_bytes()).unwrap();
        ids.push(atom.id().to_owned());
    }
    assert_eq!(ids, ["tag:sleeksync,2026:sp-7:news", "tag:sleeksync,2026:sp-7:news+%26+more", "tag:sleeksync,2026:sp-7:"]);
}

#[tokio::test]
async fn a_title_with_an_address_keeps_its_link_in_the_changelog_file() {
    let folder = tempfile::tempdir().unwrap();
    let site = site(folder.path(), json!({"changelog_file": "CHANGELOG.md"}));
    bring(&site, &entry(json!({"title": "Now at https://app.acme.example/new and www.acme.example"})), &mut Links::default())
        .await
        .unwrap();
    let file = read(folder.path(), "CHANGELOG.md");
    let line = file.lines().find(|line| line.starts_with("- **")).unwrap();
    assert_eq!(line, "- **[Now at https&#58;//app.acme.example/new and www&#46;acme.example](<https://acme.example/changelog/771>)**");
}

#[tokio::test]
async fn images_are_copied_kept_and_removed_with_the_page_that_shows_them() {
    let folder = tempfile::tempdir().unwrap();
    let site = site(folder.path(), json!({}));
    let mut links = Links::default();
    bring(&site, &entry(json!({})), &mut links).await.unwrap();
    let images = || std::fs::read_dir(folder.path().join("changelog/images")).unwrap().map(|file| file.unwrap().path()).collect::<Vec<_>>();
    let [image] = images().try_into().unwrap();
    assert_eq!(std::fs::read(&image).unwrap(), PNG);
    let shown = format!("![shot](images/{})", image.file_name().unwrap().to_str().unwrap());
    assert!(read(folder.path(), "changelog/entry-771.md").contains(&shown), "{}", read(folder.path(), "changelog/entry-771.md"));
    bring(&site, &entry(json!({"description_html": "<p>No picture</p>"})), &mut links).await.unwrap();
    assert_eq!(images(), Vec::<std::path::PathBuf>::new());
    let kept = Site::new(serde_json::from_value(json!({"path": folder.path(), "copy_images": false})).unwrap()).unwrap();
    bring(&kept, &entry(json!({})), &mut links).await.unwrap();
    assert!(read(folder.path(), "changelog/entry-771.md").contains("https://storage.sleekplan.com/a.png"));
}

#[tokio::test]
async fn a_page_names_its_images_from_where_it_stands() {
    let table = [
        (json!({"format": "hugo"}), "content/changelog/images", "../images/"),
        (json!({"format": "zola"}), "static/changelog/images", "../images/"),
        (json!({"format": "zola", "directory": "content"}), "static/images", "../images/"),
        (json!({"format": "jekyll"}), "assets/changelog-images", "/assets/changelog-images/"),
        (json!({"format": "jekyll", "directory": "news/_posts"}), "assets/news/changelog-images", "/assets/news/changelog-images/"),
        (
            json!({"format": "jekyll", "image_url": "/docs/assets/changelog-images"}),
            "assets/changelog-images",
            "/docs/assets/changelog-images/",
        ),
        (json!({"format": "astro"}), "src/content/changelog/images", "./images/"),
        (json!({"format": "docusaurus"}), "changelog/images", "./images/"),
        (json!({"format": "plain", "directory": "."}), "images", "images/"),
    ];
    for (more, place, shown) in table {
        let folder = tempfile::tempdir().unwrap();
        let site = site(folder.path(), more.clone());
        let mut links = Links::default();
        bring(&site, &entry(json!({})), &mut links).await.unwrap();
        let [image] = std::fs::read_dir(folder.path().join(place))
            .unwrap()
            .map(|file| file.unwrap())
            .filter(|file| file.file_name().to_string_lossy().ends_with(".png"))
            .collect::<Vec<_>>()
            .try_into()
            .unwrap();
        let page = read(folder.path(), links.id(&Part::new("page")).unwrap());
        assert!(page.contains(&format!("![shot]({shown}{})", image.file_name().to_str().unwrap())), "{more} {page}");
    }
    for wrong in ["assets", "/a)b", "javascript:x", "", "/a b"] {
        let settings = serde_json::from_value(json!({"path": "/srv", "image_url": wrong})).unwrap();
        assert_eq!(Site::new(settings).err().unwrap()[0].key, "image_url", "{wrong}");
    }
}

#[tokio::test]
async fn what_a_crash_left_half_written_is_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let site = site(folder.path(), json!({"copy_images": false}));
    std::fs::create_dir_all(folder.path().join("changelog")).unwrap();
    std::fs::write(folder.path().join("changelog/.entry-771.md.sleeksync-tmp"), "half").unwrap();
    bring(&site, &entry(json!({})), &mut Links::default()).await.unwrap();
    let files = std::fs::read_dir(folder.path().join("changelog")).unwrap().map(|file| file.unwrap().file_name()).collect::<Vec<_>>();
    assert_eq!(files, ["entry-771.md"]);
}

#[tokio::test]
async fn an_edit_keeps_the_id_and_the_date_of_publication_in_every_feed() {
    let folder = tempfile::tempdir().unwrap();
    let site = site(folder.path(), json!({}));
    let mut links = Links::default();
    let ids = || {
        let rss = rss::Channel::read_from(read(folder.path(), "changelog.rss").as_bytes()).unwrap();
        let atom = atom_syndication::Feed::read_from(read(folder.path(), "changelog.atom").as_bytes()).unwrap();
        let json: Value = serde_json::from_str(&read(folder.path(), "changelog.json")).unwrap();
        assert_eq!((rss.items().len(), atom.entries().len(), rss.link()), (1, 1, "https://acme.example"));
        let (guid, published) = (rss.items()[0].guid().unwrap().value().to_owned(), rss.items()[0].pub_date().unwrap().to_owned());
        assert_eq!((atom.entries()[0].id(), json["items"][0]["id"].as_str().unwrap()), (guid.as_str(), guid.as_str()));
        (guid, published, atom.entries()[0].published().unwrap().to_rfc3339(), json["items"][0]["date_published"].clone())
    };
    bring(&site, &entry(json!({})), &mut links).await.unwrap();
    let before = ids();
    let later = Item { at: Time::from_ms(1_772_625_600_000), ..entry(json!({"title": "Another title"})) };
    bring(&site, &later, &mut links).await.unwrap();
    assert_eq!(ids(), before);
    assert!(read(folder.path(), "changelog.json").contains("Another title"));
}

#[tokio::test]
async fn a_deleted_entry_is_gone_everywhere() {
    let folder = tempfile::tempdir().unwrap();
    let site = site(folder.path(), json!({"on_unpublish": "draft", "changelog_file": "CHANGELOG.md"}));
    std::fs::write(folder.path().join("CHANGELOG.md"), "# Ours\n\n## [1.0.0] - 2026-01-01\n\n- first\n").unwrap();
    let mut links = Links::default();
    bring(&site, &entry(json!({})), &mut links).await.unwrap();
    let file = read(folder.path(), "CHANGELOG.md");
    let (ours, theirs) =
        (file.find("## [2026-03-03] - 2026-03-03\n\n### Added\n").unwrap(), file.find("## [1.0.0] - 2026-01-01\n\n- first\n").unwrap());
    assert!(ours < theirs, "{file}");
    bring(&site, &Item { deleted: true, ..entry(json!({})) }, &mut links).await.unwrap();
    assert!(!folder.path().join("changelog/entry-771.md").exists() && links.own.is_empty());
    for file in ["changelog.rss", "changelog.atom", "changelog.json", "CHANGELOG.md"] {
        assert!(!read(folder.path(), file).contains("CSV"), "{file}");
    }
    assert!(read(folder.path(), "CHANGELOG.md").contains("- first"));
}
