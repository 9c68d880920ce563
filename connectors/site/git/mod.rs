//! What is written is committed and pushed, with the system's own `git`.
//!
//! Promised: a commit holds paths of ours and nothing else; what a person has staged or changed beside them stays as it is; nothing is
//! forced, reset or cleaned; what is committed and not pushed is pushed by the next step, whatever came between.
//!
//! Not done here: cloning, choosing a branch, ending a merge. Those are a person's, and said so.

mod message;
mod push;
mod reapply;
mod said;

use std::ffi::OsString;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::config::{Git, Settings, below};
use crate::contract::{Cause, Failure};
use crate::kit::command::{Ended, Program};

pub use message::Happened;
pub(super) use message::message;

/// What git's folder holds while a person is in the middle of something, and what that is.
const UNDER_WAY: &[(&str, &str)] = &[
    ("MERGE_HEAD", "a merge"),
    ("CHERRY_PICK_HEAD", "a cherry-pick"),
    ("REVERT_HEAD", "a revert"),
    ("rebase-merge", "a rebase"),
    ("rebase-apply", "a rebase"),
];

/// A commit as it is to be made: of an entry's page, its images, the feeds and CHANGELOG.md.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Commit {
    /// All of it.
    pub message: String,
    /// The entry's key.
    pub key: String,
    /// The page, below the site's folder.
    pub page: Option<String>,
    /// Name of the entry in file names.
    pub stem: String,
    /// Whether there is a page now.
    pub stands: bool,
}

/// The clone that a site's folder is in, with its branch checked out and nothing under way.
pub(super) struct Repository<'a> {
    settings: &'a Settings,
    git: &'a Git,
    /// The work tree.
    top: PathBuf,
    /// git's own folder of it.
    folder: PathBuf,
    /// The site's folder, below the work tree.
    prefix: String,
    branch: String,
}

impl<'a> Repository<'a> {
    /// Looks whether the clone is as it must be before anything is written to it.
    pub(super) async fn open(settings: &'a Settings, git: &'a Git) -> Result<Self, Failure> {
        let (shown, path) = (settings.path.display().to_string(), settings.path.clone());
        if !path.is_dir() {
            return Err(Failure::Unauthorized { source: Cause::new(format!("{shown} is no folder; clone the site there")) });
        }
        let mut repository = Self { settings, git, top: path, folder: PathBuf::new(), prefix: String::new(), branch: String::new() };
        let places = repository.run(&["rev-parse", "--absolute-git-dir", "--show-toplevel", "--show-prefix"]).await?;
        if places.code != Some(0) && places.said.contains("not a git repository") {
            return Err(Failure::Unauthorized { source: Cause::new(format!("{shown} is in no git repository; clone the site there")) });
        }
        let places = text(&succeeded("rev-parse", places)?);
        let mut places = places.lines();
        repository.folder = PathBuf::from(places.next().unwrap_or_default());
        repository.top = PathBuf::from(places.next().unwrap_or_default());
        repository.prefix = places.next().unwrap_or_default().trim_end_matches('/').to_owned();
        repository.branch = repository.checked_out().await?;
        repository.is_calm()?;
        Ok(repository)
    }

    async fn checked_out(&self) -> Result<String, Failure> {
        let busy = |what: String| said::transient(Cause::new(what));
        let head = self.run(&["symbolic-ref", "--quiet", "HEAD"]).await?;
        let Some(branch) = text(&head.out).trim().strip_prefix("refs/heads/").map(str::to_owned) else {
            let wanted = self.git.branch.as_deref().unwrap_or("a branch");
            return Err(busy(format!("{} has a detached HEAD; `git switch {wanted}` there", self.top.display())));
        };
        match &self.git.branch {
            Some(wanted) if *wanted != branch => {
                Err(busy(format!("{} has branch {branch} checked out; `git switch {wanted}` there", self.top.display())))
            }
            _ => Ok(branch),
        }
    }

    fn is_calm(&self) -> Result<(), Failure> {
        match UNDER_WAY.iter().find(|(file, _)| self.folder.join(file).exists()) {
            Some((_, what)) => Err(said::transient(Cause::new(format!("{what} is under way in {}; end it there", self.top.display())))),
            None => Ok(()),
        }
    }

    /// Commits what changed of an entry. Nothing changed: no commit.
    pub(super) async fn commit(&self, commit: &Commit) -> Result<(), Failure> {
        let page = commit.page.as_deref().map(|page| self.full(page));
        if let Some(page) = page.as_deref().filter(|_| commit.stands) {
            self.can_hold(page, &commit.key).await?;
        }
        let changed = self.changed(page.as_deref(), &commit.stem).await?;
        if changed.is_empty() {
            return Ok(());
        }
        // New files are made known, and what was staged and is gone is forgotten. The person's own part of the index stays as it is.
        self.ask("add", &with_paths(&["add", "--all"], &changed)).await?;
        let staged = self.ask("diff", &with_paths(&["diff", "--cached", "--name-only", "--no-renames", "-z"], &changed)).await?;
        let staged = fields(&staged);
        if staged.is_empty() {
            return Ok(());
        }
        let arguments = with_paths(&["commit", "--quiet", "--cleanup=whitespace", "--only", "--file=-"], &staged);
        let ended = self.program(&arguments, commit.message.as_bytes()).await?;
        if ended.code == Some(1) && !ended.said.contains("unmerged files") {
            // git-commit(1) fails with 128; 1 is what a hook's refusal comes to.
            let source = Cause::new(format!("the commit was refused: {}", said::words(&ended.said)));
            return Err(Failure::Rejected { source });
        }
        succeeded("commit", ended).map(drop)
    }

    /// A page that is not there, or that git is told to ignore, would be delivered without being committed.
    async fn can_hold(&self, page: &str, key: &str) -> Result<(), Failure> {
        if !self.top.join(page).is_file() {
            if self.was_removed_against(page, key).await? {
                return Ok(());
            }
            let source = format!("{page} is gone from the work tree; `sleeksync replay` writes it again");
            return Err(Failure::Rejected { source: Cause::new(source) });
        }
        match self.is_ignored(page).await? {
            true => {
                Err(Failure::Rejected { source: Cause::new(format!("{page} is ignored by .gitignore; take it out there, then retry")) })
            }
            false => Ok(()),
        }
    }

    /// Whether others have removed a page against a commit of ours: that was told, and tried again it stays so.
    async fn was_removed_against(&self, page: &str, key: &str) -> Result<bool, Failure> {
        let ours = self.run(&["cat-file", "-e", &format!("{}:{page}", push::kept(key))]).await?;
        let theirs = self.run(&["cat-file", "-e", &format!("HEAD:{page}")]).await?;
        Ok(ours.code == Some(0) && theirs.code.is_some_and(|code| code != 0))
    }

    async fn is_ignored(&self, path: &str) -> Result<bool, Failure> {
        let ended = self.run(&["check-ignore", "--quiet", "--", path]).await?;
        match ended.code {
            Some(0) => Ok(true),
            Some(1) => Ok(false),
            _ => Err(said::failure("check-ignore", &ended)),
        }
    }

    /// The paths of ours that differ from the last commit.
    async fn changed(&self, page: Option<&str>, stem: &str) -> Result<Vec<String>, Failure> {
        let images = self.full(&self.settings.image_folder().0);
        let shared: Vec<String> = self.generated().concat();
        let asked: Vec<String> = page.map(str::to_owned).into_iter().chain(shared.iter().cloned()).chain([images.clone()]).collect();
        let status =
            self.ask("status", &with_paths(&["status", "--porcelain", "-z", "--untracked-files=all", "--no-renames"], &asked)).await?;
        let image = format!("{images}/{stem}-");
        let is_ours = |path: &String| Some(path.as_str()) == page || shared.contains(path) || path.starts_with(&image);
        // Two letters and a blank, then the path (git-status(1), "Short Format").
        Ok(fields(&status).into_iter().filter_map(|line| line.get(3..).map(str::to_owned)).filter(is_ours).collect())
    }

    /// The files that are made from others, in groups: each begins with what the rest of it is made from.
    fn generated(&self) -> [Vec<String>; 2] {
        let feeds: Vec<String> = self.settings.feeds().map(|feed| self.settings.feed_path(feed)).collect();
        let group = |manifest: String, files: Vec<String>| -> Vec<String> {
            if files.is_empty() { Vec::new() } else { [manifest].iter().chain(&files).map(|path| self.full(path)).collect() }
        };
        [
            group(self.settings.feeds_manifest(), feeds),
            group(self.settings.changelog_manifest(), self.settings.changelog_file().into_iter().collect()),
        ]
    }

    /// A path below the site's folder as git names it.
    fn full(&self, path: &str) -> String {
        below(&self.prefix, path)
    }

    /// Proves that what is written can be committed and pushed.
    pub(super) async fn check(&self) -> Result<(), Failure> {
        let lock = self.folder.join("index.lock");
        if lock.exists() {
            let source = format!("{} exists: another git is at work, or was cut off; where none runs, remove the file", lock.display());
            return Err(said::transient(Cause::new(source)));
        }
        let page = self.full(&below(&self.settings.directory(), "entry-0.md"));
        if self.is_ignored(&page).await? {
            let source = format!("pages such as {page} are ignored by .gitignore; take them out there");
            return Err(Failure::Unauthorized { source: Cause::new(source) });
        }
        self.ask("var", &["var".to_owned(), "GIT_COMMITTER_IDENT".to_owned()]).await?;
        if self.git.push { self.can_push().await } else { Ok(()) }
    }

    /// Runs git and answers its output; what it said as a failure.
    async fn ask(&self, doing: &str, arguments: &[String]) -> Result<Vec<u8>, Failure> {
        succeeded(doing, self.program(arguments, b"").await?)
    }

    async fn run(&self, arguments: &[&str]) -> Result<Ended, Failure> {
        let arguments: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        self.program(&arguments, b"").await
    }

    async fn program(&self, arguments: &[String], input: &[u8]) -> Result<Ended, Failure> {
        self.program_with(arguments, input, Vec::new()).await
    }

    async fn program_with(
        &self,
        arguments: &[String],
        input: &[u8],
        mut environment: Vec<(&'static str, OsString)>,
    ) -> Result<Ended, Failure> {
        let mut all: Vec<OsString> = vec!["--no-pager".into()];
        // A file's name is a name and no pattern. `check-ignore` takes names alone, and refuses to be told so.
        if arguments.first().is_some_and(|command| command != "check-ignore") {
            all.push("--literal-pathspecs".into());
        }
        for (key, value) in [("user.name", &self.git.author_name), ("user.email", &self.git.author_email)] {
            all.extend(value.iter().flat_map(|value| ["-c".into(), format!("{key}={value}").into()]));
        }
        all.extend(arguments.iter().map(OsString::from));
        // Nothing is asked of a terminal or a window, and git speaks as `said` reads it.
        let quiet =
            [("LC_ALL", "C"), ("LANGUAGE", ""), ("GIT_TERMINAL_PROMPT", "0"), ("SSH_ASKPASS", "false"), ("SSH_ASKPASS_REQUIRE", "force")];
        environment.extend(quiet.map(|(name, value)| (name, value.into())));
        // Variables of a git that has started us would lead to its own repository.
        let program = Program { name: "git", arguments: all, folder: &self.top, environment, without: &["GIT_"], input: input.to_vec() };
        program.run().await.map_err(|error| Failure::Unauthorized { source: Cause::new(error.to_string()) })
    }
}

/// What became of a step that ended with a commit.
pub(super) async fn record(settings: &Settings, git: &Git, commit: &Commit) -> Result<(), Failure> {
    let repository = Repository::open(settings, git).await?;
    repository.commit(commit).await?;
    if git.push { repository.push(&commit.key).await } else { Ok(()) }
}

fn succeeded(doing: &str, ended: Ended) -> Result<Vec<u8>, Failure> {
    if ended.code == Some(0) { Ok(ended.out) } else { Err(said::failure(doing, &ended)) }
}

fn with_paths(arguments: &[&str], paths: &[String]) -> Vec<String> {
    arguments.iter().map(|argument| (*argument).to_owned()).chain(["--".to_owned()]).chain(paths.iter().cloned()).collect()
}

/// What git ends with a zero byte each (`-z`).
fn fields(bytes: &[u8]) -> Vec<String> {
    bytes.split(|byte| *byte == 0).filter(|field| !field.is_empty()).map(text).collect()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
