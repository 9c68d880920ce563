//! From what git said to a [`Failure`]. Pure; the words are those of git itself, untranslated (`LC_ALL=C`), read at git 2.47, and of OpenSSH.

use crate::contract::{Cause, Failure, Limit};
use crate::kit::command::Ended;

/// A person has to do something about the whole repository: credentials, rights, a remote that is not there, an author git does not know.
const UNAUTHORIZED: &[&str] = &[
    "authentication failed",
    "could not read username",
    "could not read password",
    "terminal prompts disabled",
    "permission denied",
    "host key verification failed",
    "too many authentication failures",
    "returned error: 401",
    "returned error: 403",
    "repository not found",
    "access denied",
    "does not appear to be a git repository",
    "no such remote",
    "' does not exist",
    "dubious ownership",
    "insufficient permission",
    "please tell me who you are",
    "empty ident name",
    "unable to auto-detect email address",
    "failed to sign the data",
    "failed to write commit object",
    "read-only file system",
];
/// It did not happen, and passes by itself or when a person is done.
const TRANSIENT: &[&str] = &[
    "could not resolve host",
    "connection refused",
    "connection timed out",
    "operation timed out",
    "network is unreachable",
    "no route to host",
    "couldn't connect to server",
    "failed to connect",
    "temporary failure in name resolution",
    "cannot lock ref",
    "failed to lock",
    ".lock': file exists",
    "another git process",
    "unmerged files",
    "during a merge",
    "no space left",
    "unpacker error",
    "failed to update ref",
];

/// What failed, by what git said. What is not known is Unknown: every step of ours can be repeated.
pub(super) fn failure(doing: &str, ended: &Ended) -> Failure {
    let said = ended.said.to_lowercase();
    let source = Cause::new(format!("git {doing}: {}", words(&ended.said)));
    let says = |table: &[&str]| table.iter().any(|words| said.contains(words));
    match () {
        // The more exact first: `Connection refused` comes with the advice to look at the rights.
        () if says(TRANSIENT) => transient(source),
        () if says(UNAUTHORIZED) => Failure::Unauthorized { source },
        () => Failure::Unknown { retry_after: None, source },
    }
}

/// What a push came to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Pushed {
    /// The remote has it.
    Done,
    /// The remote has commits that are not known here.
    Behind,
}

/// What a push (`--porcelain`) came to, by its lines for each branch (git-push(1), "Output").
pub(super) fn pushed(ended: &Ended) -> Result<Pushed, Failure> {
    if ended.code == Some(0) {
        return Ok(Pushed::Done);
    }
    let out = String::from_utf8_lossy(&ended.out);
    let Some(refused) = out.lines().find_map(|line| line.strip_prefix("!\t")) else { return Err(failure("push", ended)) };
    let reason = refused.rsplit('\t').next().unwrap_or_default();
    let raced = ["incorrect old value", "reference already exists", "fetch first"].iter().any(|word| reason.contains(word));
    if reason.starts_with("[rejected]") || raced {
        return Ok(Pushed::Behind);
    }
    if !reason.starts_with("[remote rejected]") {
        return Err(failure("push", ended));
    }
    let source = Cause::new(format!(
        "the remote refuses the branch: {} {}",
        reason.trim_start_matches("[remote rejected]").trim(),
        remote(&ended.said)
    ));
    let passes = TRANSIENT.iter().any(|words| reason.to_lowercase().contains(words));
    Err(if passes { transient(source) } else { Failure::Rejected { source } })
}

/// It did not happen, and may work later.
pub(super) fn transient(source: Cause) -> Failure {
    Failure::Transient { retry_after: None, scope: Limit::Item, source }
}

/// What the remote said.
fn remote(said: &str) -> String {
    let lines: Vec<&str> =
        said.lines().filter_map(|line| line.strip_prefix("remote:")).map(str::trim).filter(|line| !line.is_empty()).collect();
    lines.join(" ")
}

/// git's own words, without its advice.
pub(super) fn words(said: &str) -> String {
    let lines: Vec<&str> = said.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("hint:")).collect();
    lines.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(code: i32, out: &str, said: &str) -> Ended {
        Ended { code: Some(code), out: out.as_bytes().to_vec(), said: said.to_owned() }
    }

    #[test]
    fn what_git_says_has_its_class() {
        for (said, class) in [
            ("fatal: Authentication failed for 'https://git.example/x.git/'", "unauthorized"),
            ("fatal: could not read Username for 'https://git.example': terminal prompts disabled", "unauthorized"),
            ("git@git.example: Permission denied (publickey).\nfatal: Could not read from remote repository.", "unauthorized"),
            ("Host key verification failed.", "unauthorized"),
            (
                "remote: Permission to a/b denied to c.\nfatal: unable to access 'https://x/': The requested URL returned error: 403",
                "unauthorized",
            ),
            ("remote: Repository not found.\nfatal: repository 'https://x/' not found", "unauthorized"),
            ("fatal: 'origin' does not appear to be a git repository", "unauthorized"),
            ("fatal: unable to auto-detect email address (got 'x@y.(none)')", "unauthorized"),
            ("error: gpg failed to sign the data\nfatal: failed to write commit object", "unauthorized"),
            ("fatal: unable to access 'https://x/': Could not resolve host: x", "transient"),
            ("ssh: connect to host x port 22: Connection refused\nfatal: Could not read from remote repository.", "transient"),
            ("fatal: Unable to create '/x/.git/index.lock': File exists.", "transient"),
            ("error: Committing is not possible because you have unmerged files.", "transient"),
            ("fatal: the remote end hung up unexpectedly", "unknown"),
            ("fatal: unable to access 'https://x/': The requested URL returned error: 503", "unknown"),
        ] {
            assert_eq!(failure("push", &ended(128, "", said)).class(), class, "{said}");
        }
    }

    #[test]
    fn a_push_is_done_behind_or_refused() {
        let line = |reason: &str| format!("To /x\n!\trefs/heads/main:refs/heads/main\t{reason}\nDone\n");
        assert_eq!(pushed(&ended(0, "", "")), Ok(Pushed::Done));
        for reason in ["[rejected] (fetch first)", "[rejected] (non-fast-forward)", "[remote rejected] (incorrect old value provided)"] {
            assert_eq!(pushed(&ended(1, &line(reason), "")), Ok(Pushed::Behind), "{reason}");
        }
        let refused =
            pushed(&ended(1, &line("[remote rejected] (protected branch hook declined)"), "remote: GH006: Protected branch.\nhint: x\n"));
        let Err(Failure::Rejected { source }) = refused else { panic!("{refused:?}") };
        assert_eq!(source.as_str(), "the remote refuses the branch: (protected branch hook declined) GH006: Protected branch.");
        assert_eq!(pushed(&ended(1, &line("[remote rejected] (unpacker error)"), "")).unwrap_err().class(), "transient");
        assert_eq!(pushed(&ended(128, "", "Host key verification failed.")).unwrap_err().class(), "unauthorized");
    }
}
