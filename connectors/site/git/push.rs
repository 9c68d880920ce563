//! Pushing: the remote's branch is made to contain what is committed here. Nothing is forced.

use std::ffi::OsString;

use super::reapply::Conflict;
use super::said::{self, Pushed};
use super::{Repository, succeeded, text};
use crate::contract::{Cause, Failure};
use crate::kit::command::Ended;

/// How often others may be faster in one step.
const TRIES_MAX: usize = 3;

impl Repository<'_> {
    /// Pushes what is not pushed yet; where the remote went on, on top of that.
    pub(super) async fn push(&self, key: &str) -> Result<(), Failure> {
        let mut conflicts = Vec::new();
        for _ in 0..TRIES_MAX {
            match self.try_push(&["push", "--porcelain", "--no-follow-tags"]).await? {
                Pushed::Done => return told(&conflicts, key),
                Pushed::Behind => conflicts.extend(self.reapply().await?),
            }
        }
        Err(said::transient(Cause::new(format!("the remote's branch {} went on while it was pushed to", self.branch))))
    }

    /// The same without doing it: the credentials, the remote and the right to write.
    pub(super) async fn can_push(&self) -> Result<(), Failure> {
        self.try_push(&["push", "--porcelain", "--dry-run", "--no-verify", "--no-follow-tags"]).await.map(drop)
    }

    async fn try_push(&self, arguments: &[&str]) -> Result<Pushed, Failure> {
        let branch = format!("refs/heads/{0}:refs/heads/{0}", self.branch);
        let ended = self.remotely(&[arguments, &["--", &self.git.remote, &branch]].concat()).await?;
        if ended.said.contains("does not match any") {
            // Nothing was committed yet, so there is nothing to push; whether there is a remote is asked all the same.
            succeeded("ls-remote", self.remotely(&["ls-remote", "--heads", "--", &self.git.remote]).await?)?;
            return Ok(Pushed::Done);
        }
        said::pushed(&ended)
    }

    /// Fetches the remote's branch, and answers its last commit.
    pub(super) async fn fetch(&self) -> Result<String, Failure> {
        // A name of our own: the person's remote-tracking branches and FETCH_HEAD are theirs.
        let here = format!("refs/sleeksync/upstream/{}", self.branch);
        let what = format!("+refs/heads/{}:{here}", self.branch);
        let arguments = ["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--", &self.git.remote, &what];
        succeeded("fetch", self.remotely(&arguments).await?)?;
        self.commit_at(&here).await
    }

    pub(super) async fn commit_at(&self, name: &str) -> Result<String, Failure> {
        let found = succeeded("rev-parse", self.run(&["rev-parse", "--verify", "--quiet", &format!("{name}^{{commit}}")]).await?)?;
        Ok(text(&found).trim().to_owned())
    }

    /// Runs git towards the remote. OpenSSH asks nobody; a person's own command for it is left as it is.
    async fn remotely(&self, arguments: &[&str]) -> Result<Ended, Failure> {
        let own = self.run(&["config", "--get", "core.sshCommand"]).await?;
        let environment: Vec<(&'static str, OsString)> = match own.code {
            Some(0) => Vec::new(),
            // No shared connection is begun: its process would outlive the step.
            _ => vec![("GIT_SSH_COMMAND", "ssh -o BatchMode=yes -o ControlMaster=no".into())],
        };
        let arguments: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        self.program_with(&arguments, b"", environment).await
    }
}

/// The name under which a commit that stood against another's is kept.
pub(super) fn kept(key: &str) -> String {
    format!("refs/sleeksync/conflicts/{key}")
}

/// A person's edit that stands against ours is told once, by the delivery it is about.
fn told(conflicts: &[Conflict], key: &str) -> Result<(), Failure> {
    let (own, others): (Vec<_>, Vec<_>) = conflicts.iter().partition(|conflict| conflict.key == key);
    for other in others {
        tracing::warn!(entry = other.key, path = other.path, kept = other.kept, "changed at the remote by another; theirs stays");
    }
    let Some(conflict) = own.first() else { return Ok(()) };
    let Conflict { path, by, kept, .. } = conflict;
    let source = Cause::new(format!(
        "{path} was changed at the remote, in {by}: that stays. `sleeksync retry` leaves it so; `sleeksync replay --connector NAME --item ITEM` writes Sleekplan's over it; ours is kept as {kept}"
    ));
    Err(Failure::Rejected { source })
}
