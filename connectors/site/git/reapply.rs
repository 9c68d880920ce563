//! Our commits on top of what others have pushed meanwhile, file by file and without touching the work tree until all of it is decided.
//!
//! Only commits of ours are made anew. A file that others changed too is theirs: ours is kept under a name of its own, and said so. Files
//! that are made from others are made again from both sides.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;

use super::message::KEY_TRAILER;
use super::{Repository, fields, push, said, succeeded, text, with_paths};
use crate::contract::{Cause, Failure};
use crate::site::manifest::{self, Entries};
use crate::site::{changelog, feeds};

/// So many commits of ours are made anew in one step.
const COMMITS_MAX: usize = 1000;

/// A file of ours that others changed too.
#[derive(Debug)]
pub(super) struct Conflict {
    /// The entry's key.
    pub key: String,
    /// The file.
    pub path: String,
    /// Their commit.
    pub by: String,
    /// The name under which our commit is kept.
    pub kept: String,
}

/// What a path is in a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Blob {
    Absent,
    File { mode: String, hash: String },
}

/// A commit of ours that is not pushed.
struct Unpushed {
    hash: String,
    key: String,
    author: [String; 3],
    message: String,
}

/// What becomes of a path that we changed.
#[derive(Debug, PartialEq, Eq)]
enum Side {
    Ours,
    Theirs,
    Disputed,
}

/// The rule of three: who did not change it gives way.
fn decide(base: &Blob, ours: &Blob, theirs: &Blob) -> Side {
    match () {
        () if theirs == base => Side::Ours,
        () if theirs == ours => Side::Theirs,
        () => Side::Disputed,
    }
}

impl Repository<'_> {
    /// Brings the branch, the index and the work tree to what the remote has with our commits on top.
    pub(super) async fn reapply(&self) -> Result<Vec<Conflict>, Failure> {
        let upstream = self.fetch().await?;
        let head = self.commit_at("HEAD").await?;
        let mut tip = upstream.clone();
        let mut conflicts = Vec::new();
        for commit in self.unpushed(&upstream).await? {
            tip = self.reapply_one(&tip, &upstream, &commit, &mut conflicts).await?;
        }
        self.move_to(&head, &tip).await?;
        Ok(conflicts)
    }

    /// Our commits that the remote does not have, the oldest first. Anybody else's are not ours to change.
    async fn unpushed(&self, upstream: &str) -> Result<Vec<Unpushed>, Failure> {
        let range = format!("{upstream}..HEAD");
        let listed = succeeded("rev-list", self.run(&["rev-list", "--reverse", "--topo-order", "--parents", &range]).await?)?;
        let listed = text(&listed);
        if listed.lines().count() > COMMITS_MAX {
            return Err(Failure::Rejected { source: Cause::new("too many commits are not pushed; rebase and push them, then retry") });
        }
        let mut commits = Vec::new();
        for line in listed.lines() {
            let (hash, parents) = line.split_once(' ').unwrap_or((line, ""));
            commits.push(self.ours(hash, parents.contains(' ')).await?);
        }
        Ok(commits)
    }

    async fn ours(&self, hash: &str, is_merge: bool) -> Result<Unpushed, Failure> {
        let format = format!("--format=%(trailers:key={KEY_TRAILER},valueonly,separator=%x2C)%x00%an%x00%ae%x00%ad%x00%h %s%x00%B");
        let shown = text(&succeeded("show", self.run(&["show", "--no-patch", "--date=raw", &format, hash, "--"]).await?)?);
        let mut parts = shown.split('\0').map(str::to_owned);
        let mut next = || parts.next().unwrap_or_default();
        let (key, author, named, message) = (next().trim().to_owned(), [next(), next(), next()], next(), next());
        let is_key = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if is_merge || !key.starts_with("sp-") || !key.chars().all(is_key) {
            let source =
                format!("commit {named} is not pushed and not of sleeksync, and the remote went on; rebase and push it, then retry");
            return Err(Failure::Rejected { source: Cause::new(source) });
        }
        Ok(Unpushed { hash: hash.to_owned(), key, author, message })
    }

    /// One commit of ours on `tip`; `tip` itself where nothing of it is left to do.
    async fn reapply_one(&self, tip: &str, upstream: &str, commit: &Unpushed, conflicts: &mut Vec<Conflict>) -> Result<String, Failure> {
        let changed = self.changes_of(&commit.hash).await?;
        let paths: Vec<String> = changed.keys().cloned().collect();
        let theirs = self.blobs(tip, &paths).await?;
        let (mut new, mut disputed) = (BTreeMap::new(), BTreeSet::new());
        for (path, (base, ours)) in changed {
            match decide(&base, &ours, theirs.get(&path).unwrap_or(&Blob::Absent)) {
                Side::Ours => drop(new.insert(path, ours)),
                Side::Theirs => {}
                Side::Disputed => drop(disputed.insert(path)),
            }
        }
        for (number, group) in self.generated().iter().enumerate() {
            if !group.iter().any(|path| disputed.contains(path)) {
                continue;
            }
            for (path, bytes) in self.made_again(number, group, tip, commit).await?.unwrap_or_default() {
                disputed.remove(&path);
                let hash = self.stored(&bytes).await?;
                new.insert(path, Blob::File { mode: "100644".to_owned(), hash });
            }
        }
        for path in disputed {
            conflicts.push(self.kept(path, upstream, commit).await?);
        }
        self.committed(tip, new, commit).await
    }

    /// What a commit changed: each path with what it was and what it became.
    async fn changes_of(&self, commit: &str) -> Result<BTreeMap<String, (Blob, Blob)>, Failure> {
        let arguments = ["diff-tree", "--root", "-r", "-z", "--no-renames", "--no-commit-id", commit, "--"];
        let raw = fields(&succeeded("diff-tree", self.run(&arguments).await?)?);
        let mut changes = BTreeMap::new();
        // `:MODE MODE HASH HASH STATUS`, then the path (git-diff-tree(1), "Raw output format").
        for pair in raw.chunks_exact(2) {
            let [facts, path] = pair else { continue };
            let facts: Vec<&str> = facts.trim_start_matches(':').split(' ').collect();
            let [was, is, from, to, ..] = facts.as_slice() else { continue };
            changes.insert(path.clone(), (Blob::new(was, from), Blob::new(is, to)));
        }
        Ok(changes)
    }

    /// What these paths are in a tree; those that are not there are left out.
    async fn blobs(&self, tree: &str, paths: &[String]) -> Result<BTreeMap<String, Blob>, Failure> {
        // `MODE TYPE HASH`, a tab, the path (git-ls-tree(1), "Output format").
        let listed = fields(&self.ask("ls-tree", &with_paths(&["ls-tree", "-z", "--full-tree", tree], paths)).await?);
        let blob = |line: &String| {
            let (facts, path) = line.split_once('\t')?;
            let facts: Vec<&str> = facts.split(' ').collect();
            Some((path.to_owned(), Blob::new(facts.first()?, facts.get(2)?)))
        };
        Ok(listed.iter().filter_map(blob).collect())
    }

    /// A group of generated files made anew from both sides; `None` where theirs cannot be read.
    async fn made_again(
        &self,
        number: usize,
        group: &[String],
        tip: &str,
        commit: &Unpushed,
    ) -> Result<Option<Vec<(String, Vec<u8>)>>, Failure> {
        let Some(manifest) = group.first() else { return Ok(None) };
        let (mut sides, parent) = (Vec::new(), format!("{}^", commit.hash));
        for tree in [parent.as_str(), commit.hash.as_str(), tip] {
            match self.content(tree, manifest).await?.map_or_else(|| Some(Entries::new()), |bytes| manifest::read(&bytes)) {
                Some(entries) => sides.push(entries),
                None => return Ok(None),
            }
        }
        let [base, ours, theirs] = sides.as_slice() else { return Ok(None) };
        let entries = manifest::merged(base, ours, theirs);
        let mut made = vec![(manifest.clone(), manifest::written(&entries))];
        if number == 0 {
            let texts = feeds::texts(self.settings, &commit.key, &entries).into_iter();
            made.extend(texts.map(|(path, text)| (self.full(&path), text.into_bytes())));
        } else if let Some(file) = group.get(1) {
            // Their words stay; our part of the file is written anew.
            let Ok(known) = self.content(tip, file).await?.map(String::from_utf8).transpose() else { return Ok(None) };
            made.push((file.clone(), changelog::text(known.as_deref(), &entries).into_bytes()));
        }
        Ok(Some(made))
    }

    /// What a file holds in a tree.
    async fn content(&self, tree: &str, path: &str) -> Result<Option<Vec<u8>>, Failure> {
        match self.blobs(tree, &[path.to_owned()]).await {
            // The first commit of all has no parent.
            Err(_) if tree.ends_with('^') => Ok(None),
            found => match found?.remove(path) {
                Some(Blob::File { hash, .. }) => Ok(Some(succeeded("cat-file", self.run(&["cat-file", "blob", &hash]).await?)?)),
                Some(Blob::Absent) | None => Ok(None),
            },
        }
    }

    async fn stored(&self, bytes: &[u8]) -> Result<String, Failure> {
        let arguments = ["hash-object", "-w", "--stdin", "--no-filters"].map(str::to_owned);
        Ok(text(&succeeded("hash-object", self.program(&arguments, bytes).await?)?).trim().to_owned())
    }

    /// Keeps our commit under a name, and says whose stands against it.
    async fn kept(&self, path: String, upstream: &str, commit: &Unpushed) -> Result<Conflict, Failure> {
        let kept = push::kept(&commit.key);
        succeeded("update-ref", self.run(&["update-ref", &kept, &commit.hash]).await?)?;
        let by = self.run(&["log", "-1", "--format=%h by %an", upstream, "--", &path]).await?;
        Ok(Conflict { key: commit.key.clone(), path, by: text(&by.out).trim().chars().take(80).collect(), kept })
    }

    /// The commit with `new` in the tree of `tip`, made in an index of its own.
    async fn committed(&self, tip: &str, new: BTreeMap<String, Blob>, commit: &Unpushed) -> Result<String, Failure> {
        if new.is_empty() {
            return Ok(tip.to_owned());
        }
        let index = || vec![("GIT_INDEX_FILE", OsString::from(self.folder.join("sleeksync-index")))];
        let own = |arguments: &[&str]| -> Vec<String> { arguments.iter().map(|argument| (*argument).to_owned()).collect() };
        succeeded("read-tree", self.program_with(&own(&["read-tree", tip]), b"", index()).await?)?;
        let lines: String = new.iter().map(|(path, blob)| format!("{}\t{path}\0", blob.line(tip.len()))).collect();
        succeeded("update-index", self.program_with(&own(&["update-index", "-z", "--index-info"]), lines.as_bytes(), index()).await?)?;
        let tree = text(&succeeded("write-tree", self.program_with(&own(&["write-tree"]), b"", index()).await?)?).trim().to_owned();
        let known = succeeded("rev-parse", self.run(&["rev-parse", &format!("{tip}^{{tree}}")]).await?)?;
        if text(&known).trim() == tree {
            return Ok(tip.to_owned());
        }
        let [name, address, date] = &commit.author;
        let author = [("GIT_AUTHOR_NAME", name), ("GIT_AUTHOR_EMAIL", address), ("GIT_AUTHOR_DATE", date)];
        let author = author.map(|(variable, value)| (variable, OsString::from(value))).to_vec();
        // `git commit` signs by itself where it is configured; what makes commits below it is told.
        let signs = self.run(&["config", "--type=bool", "--get", "commit.gpgSign"]).await?;
        let mut arguments = own(&["commit-tree", &tree, "-p", tip, "-F", "-"]);
        arguments.extend((text(&signs.out).trim() == "true").then(|| "-S".to_owned()));
        let made = succeeded("commit-tree", self.program_with(&arguments, commit.message.as_bytes(), author).await?)?;
        Ok(text(&made).trim().to_owned())
    }

    /// Moves index, work tree and branch, as a checkout would: a person's changes are kept, or nothing happens.
    async fn move_to(&self, head: &str, tip: &str) -> Result<(), Failure> {
        if head == tip {
            return Ok(());
        }
        // Files that were touched and not changed are no changes. It fails to say that there are others.
        self.run(&["update-index", "-q", "--refresh"]).await?;
        let moved = self.run(&["read-tree", "-m", "-u", head, tip]).await?;
        if moved.code != Some(0) {
            let words = said::words(&moved.said);
            if ["not uptodate", "would be overwritten", "would be removed"].iter().any(|refusal| words.contains(refusal)) {
                let source = format!(
                    "what the remote has would overwrite work that is not committed ({words}); commit it or move it away, then retry"
                );
                return Err(Failure::Rejected { source: Cause::new(source) });
            }
            return Err(said::failure("read-tree", &moved));
        }
        // Last, and only from where it was: cut off before, the next step does it again.
        let branch = format!("refs/heads/{}", self.branch);
        let arguments = ["update-ref", "-m", "sleeksync: on top of the remote", &branch, tip, head];
        succeeded("update-ref", self.run(&arguments).await?).map(drop)
    }
}

impl Blob {
    fn new(mode: &str, hash: &str) -> Self {
        match mode {
            "000000" => Blob::Absent,
            _ => Blob::File { mode: mode.to_owned(), hash: hash.to_owned() },
        }
    }

    /// Its line for `git update-index --index-info`; mode 0 takes the path out.
    fn line(&self, hash_chars: usize) -> String {
        match self {
            Blob::Absent => format!("0 {}", "0".repeat(hash_chars)),
            Blob::File { mode, hash } => format!("{mode} {hash}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_did_not_change_a_file_gives_way() {
        let file = |hash: &str| Blob::File { mode: "100644".to_owned(), hash: hash.to_owned() };
        let absent = || Blob::Absent;
        for (base, ours, theirs, side) in [
            (file("a"), file("b"), file("a"), Side::Ours),
            (absent(), file("b"), absent(), Side::Ours),
            (file("a"), absent(), file("a"), Side::Ours),
            (file("a"), file("b"), file("b"), Side::Theirs),
            (file("a"), file("b"), file("c"), Side::Disputed),
            (file("a"), file("b"), absent(), Side::Disputed),
            (file("a"), absent(), file("c"), Side::Disputed),
            (absent(), file("b"), file("c"), Side::Disputed),
        ] {
            assert_eq!(decide(&base, &ours, &theirs), side, "{base:?} {ours:?} {theirs:?}");
        }
    }
}
