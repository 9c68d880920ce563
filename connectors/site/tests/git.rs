//! Commits and pushes, with the system's git and bare repositories in a folder.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::*;
use crate::kit::command::Program;

/// A remote, and the site's clone of it.
struct World {
    _folder: tempfile::TempDir,
    root: PathBuf,
}

impl World {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let world = Self { root: folder.path().to_owned(), _folder: folder };
        world.git(".", &["init", "--quiet", "--bare", "--initial-branch=main", "remote.git"]).await;
        world.clone("site").await;
        std::fs::write(world.root.join("site/README"), "a site\n").unwrap();
        world.push("site", "begin").await;
        world
    }

    async fn clone(&self, name: &str) {
        self.git(".", &["clone", "--quiet", "remote.git", name]).await;
        for (key, value) in [("user.name", "Ann"), ("user.email", "ann@example.com")] {
            self.git(name, &["config", key, value]).await;
        }
    }

    /// Commits all of a clone and pushes it.
    async fn push(&self, clone: &str, message: &str) {
        self.git(clone, &["add", "--all"]).await;
        self.git(clone, &["commit", "--quiet", "-m", message]).await;
        self.git(clone, &["push", "--quiet", "origin", "HEAD:main"]).await;
    }

    /// Runs git in a folder; its output.
    async fn git(&self, folder: &str, arguments: &[&str]) -> String {
        let ended = self.try_git(folder, arguments).await;
        assert_eq!(ended.code, Some(0), "git {arguments:?}: {}", ended.said);
        String::from_utf8(ended.out).unwrap()
    }

    async fn try_git(&self, folder: &str, arguments: &[&str]) -> crate::kit::command::Ended {
        let folder = self.root.join(folder);
        let arguments = arguments.iter().map(OsString::from).collect();
        let environment =
            [("GIT_CONFIG_GLOBAL", "/dev/null"), ("GIT_CONFIG_NOSYSTEM", "1")].map(|(name, value)| (name, value.into())).to_vec();
        Program { name: "git", arguments, folder: &folder, environment, without: &["GIT_"], input: Vec::new() }.run().await.unwrap()
    }

    fn site(&self, clone: &str) -> Site {
        site(&self.root.join(clone), json!({"format": "hugo", "changelog_file": "CHANGELOG.md", "git": {"push": true}}))
    }

    /// Subjects of the remote's commits, the newest first.
    async fn subjects(&self) -> Vec<String> {
        self.git("remote.git", &["log", "--format=%s", "main"]).await.lines().map(str::to_owned).collect()
    }

    async fn remote_file(&self, path: &str) -> Option<String> {
        let ended = self.try_git("remote.git", &["cat-file", "blob", &format!("main:{path}")]).await;
        (ended.code == Some(0)).then(|| String::from_utf8(ended.out).unwrap())
    }

    fn path(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }
}

const PAGE: &str = "content/changelog/entry-771.md";

fn titled(title: &str) -> Item {
    entry(json!({"title": title}))
}

fn numbered(id: &str) -> Item {
    Item {
        id: ItemId::top(ProductId(7), ItemKind::Changelog, id).unwrap(),
        ..entry(json!({"changelog_id": id, "title": format!("Entry {id}")}))
    }
}

fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

#[tokio::test]
async fn each_change_is_one_commit_with_trailers_and_nothing_of_a_persons() {
    let (world, mut links) = (World::new().await, Links::default());
    let site = world.site("site");
    // A person is at work: one file is staged, one changed, one new.
    write(&world.path("site/staged.txt"), "staged");
    world.git("site", &["add", "staged.txt"]).await;
    write(&world.path("site/README"), "changed\n");
    write(&world.path("site/content/about.md"), "new");
    for title in ["CSV export", "CSV and XLSX export"] {
        bring(&site, &titled(title), &mut links).await.unwrap();
    }
    assert_eq!(world.subjects().await, ["Update: CSV and XLSX export", "Publish: CSV export", "begin"]);
    let trailers = world.git("remote.git", &["log", "-1", "--format=%(trailers:only,unfold)", "main"]).await;
    assert!(trailers.starts_with("Sleekplan-Entry: 771\nSleekplan-Event: edited "), "{trailers}");
    let files = world.git("remote.git", &["show", "--name-only", "--format=", "main~1"]).await;
    assert!(files.contains(PAGE) && files.contains("CHANGELOG.md") && files.contains("changelog.rss"), "{files}");
    assert!(!files.contains("staged.txt") && !files.contains("README") && !files.contains("about.md"), "{files}");
    assert_eq!(
        world.git("site", &["status", "--porcelain", "--untracked-files=all"]).await,
        " M README\nA  staged.txt\n?? content/about.md\n"
    );
    let hidden = entry(json!({"draft": true}));
    bring(&site, &hidden, &mut links).await.unwrap();
    assert_eq!(world.subjects().await.len(), 4);
    assert_eq!((world.remote_file(PAGE).await, links.own.len()), (None, 0));
}

#[tokio::test]
async fn what_others_pushed_meanwhile_stays_and_ours_comes_on_top() {
    let (world, mut links) = (World::new().await, Links::default());
    world.clone("other").await;
    bring(&world.site("site"), &titled("CSV export"), &mut links).await.unwrap();
    world.git("other", &["pull", "--quiet", "origin", "main"]).await;
    write(&world.path("other/theme.css"), "body {}");
    world.push("other", "a theme").await;
    bring(&world.site("site"), &titled("CSV and XLSX export"), &mut links).await.unwrap();
    assert_eq!(world.subjects().await, ["Update: CSV and XLSX export", "a theme", "Publish: CSV export", "begin"]);
    assert!(world.path("site/theme.css").exists(), "the work tree follows the branch");
    assert!(world.remote_file(PAGE).await.unwrap().contains("XLSX"));
    assert_eq!(world.git("site", &["status", "--porcelain"]).await, "");
}

#[tokio::test]
async fn two_daemons_that_list_entries_apart_end_with_both_in_every_list() {
    let world = World::new().await;
    world.clone("other").await;
    bring(&world.site("site"), &numbered("1"), &mut Links::default()).await.unwrap();
    bring(&world.site("other"), &numbered("2"), &mut Links::default()).await.unwrap();
    for file in ["CHANGELOG.md", "static/changelog.rss", "static/changelog.json"] {
        let text = world.remote_file(file).await.unwrap();
        assert!(text.contains("Entry 1") && text.contains("Entry 2"), "{file}: {text}");
        assert_eq!(read(&world.root, &format!("other/{file}")), text, "the work tree is what was pushed");
    }
}

#[tokio::test]
async fn a_persons_edit_of_the_page_stays_and_is_told_and_ours_is_kept() {
    let (world, mut links) = (World::new().await, Links::default());
    world.clone("other").await;
    bring(&world.site("site"), &titled("CSV export"), &mut links).await.unwrap();
    world.git("other", &["pull", "--quiet", "origin", "main"]).await;
    let edited = read(&world.root, &format!("other/{PAGE}")) + "By hand.\n";
    write(&world.path(&format!("other/{PAGE}")), &edited);
    world.push("other", "by hand").await;
    let refused = bring(&world.site("site"), &titled("CSV and XLSX export"), &mut links).await.unwrap_err();
    assert!(matches!(&refused, Failure::Rejected { source } if source.as_str().contains("was changed at the remote")), "{refused:?}");
    assert_eq!(world.remote_file(PAGE).await.unwrap(), edited);
    let kept = world.git("site", &["cat-file", "blob", &format!("refs/sleeksync/conflicts/sp-7-changelog-771:{PAGE}")]).await;
    assert!(kept.contains("XLSX"), "{kept}");
}

#[tokio::test]
async fn a_page_that_a_person_removed_is_told_once_and_stays_removed_when_it_is_tried_again() {
    let (world, mut links) = (World::new().await, Links::default());
    world.clone("other").await;
    bring(&world.site("site"), &titled("CSV export"), &mut links).await.unwrap();
    world.git("other", &["pull", "--quiet", "origin", "main"]).await;
    std::fs::remove_file(world.path(&format!("other/{PAGE}"))).unwrap();
    world.push("other", "not this one").await;
    let refused = bring(&world.site("site"), &titled("CSV and XLSX export"), &mut links).await.unwrap_err();
    assert!(matches!(&refused, Failure::Rejected { source } if source.as_str().contains("was changed at the remote")), "{refused:?}");
    // As `retry` does it: the page was written, so the commit alone is left.
    let commit = |key: &str| {
        let (message, page) = (format!("Update: x\n\nSleekplan-Key: {key}\n"), Some(PAGE.to_owned()));
        Op::Commit(git::Commit { message, key: key.to_owned(), page, stem: "entry-771".to_owned(), stands: true })
    };
    let cx = Cx { transport: &Pictures, links: &Links::default(), now: Time::ZERO };
    Connector::apply(&world.site("site"), &commit("sp-7-changelog-771"), &cx).await.unwrap();
    assert_eq!(world.remote_file(PAGE).await, None);
    let lost = Connector::apply(&world.site("site"), &commit("sp-7-changelog-9"), &cx).await.unwrap_err();
    assert!(lost.cause().as_str().contains("is gone from the work tree"), "what no one has removed against us is told: {lost:?}");
    // As `replay` does it: all is written again, since nothing is known to stand.
    links.own.values_mut().for_each(|link| link.content = None);
    bring(&world.site("site"), &titled("CSV and XLSX export"), &mut links).await.unwrap();
    assert!(world.remote_file(PAGE).await.unwrap().contains("XLSX"));
}

#[tokio::test]
async fn what_was_committed_and_not_pushed_is_pushed_by_the_next_step() {
    let (world, mut links) = (World::new().await, Links::default());
    std::fs::rename(world.path("remote.git"), world.path("gone.git")).unwrap();
    let refused = bring(&world.site("site"), &titled("CSV export"), &mut links).await.unwrap_err();
    assert!(!matches!(refused, Failure::Rejected { .. }), "{refused:?}");
    assert_eq!(world.git("site", &["log", "-1", "--format=%s"]).await.trim(), "Publish: CSV export");
    std::fs::rename(world.path("gone.git"), world.path("remote.git")).unwrap();
    bring(&world.site("site"), &titled("CSV export"), &mut links).await.unwrap();
    assert_eq!(world.subjects().await, ["Publish: CSV export", "begin"]);
}

#[tokio::test]
async fn a_clone_that_cannot_be_written_to_is_told_by_check_and_nothing_is_written() {
    let world = World::new().await;
    let checked = |site: Site| async move {
        let links = Links::default();
        let cx = Cx { transport: &Pictures, links: &links, now: Time::ZERO };
        Connector::check(&site, &cx).await.map_err(|failure| failure.cause().as_str().to_owned())
    };
    assert_eq!(checked(world.site("site")).await, Ok(()));
    write(&world.path("plain/file"), "");
    write(&world.path("site/.git/index.lock"), "");
    assert!(checked(world.site("site")).await.unwrap_err().contains("index.lock"));
    std::fs::remove_file(world.path("site/.git/index.lock")).unwrap();
    write(&world.path("site/.gitignore"), "content/changelog\n");
    assert!(checked(world.site("site")).await.unwrap_err().contains("ignored by .gitignore"));
    let refused = bring(&world.site("site"), &titled("a"), &mut Links::default()).await.unwrap_err();
    assert!(matches!(&refused, Failure::Rejected { source } if source.as_str().contains("ignored by .gitignore")), "{refused:?}");
    for left in ["site/.gitignore", &format!("site/{PAGE}")] {
        std::fs::remove_file(world.path(left)).unwrap();
    }
    world.git("site", &["checkout", "--quiet", "--detach"]).await;
    for (clone, said) in [("plain", "no git repository"), ("site", "detached HEAD"), ("absent", "no folder")] {
        assert!(checked(world.site(clone)).await.unwrap_err().contains(said), "{clone}");
        let refused = bring(&world.site(clone), &titled("a"), &mut Links::default()).await;
        assert!(refused.is_err() && !world.path(&format!("{clone}/{PAGE}")).exists(), "{clone}");
    }
}

#[tokio::test]
async fn what_the_remote_refuses_is_told_in_its_words() {
    let (world, mut links) = (World::new().await, Links::default());
    let hook = world.path("remote.git/hooks/pre-receive");
    write(&hook, "#!/bin/sh\necho 'main is protected' >&2\nexit 1\n");
    std::fs::set_permissions(&hook, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let refused = bring(&world.site("site"), &titled("a"), &mut links).await.unwrap_err();
    assert!(matches!(&refused, Failure::Rejected { source } if source.as_str().contains("main is protected")), "{refused:?}");
}
