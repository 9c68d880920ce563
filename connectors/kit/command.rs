//! Programs of this machine, run as a child process: for services that have a program and no HTTP, such as `git`.
//!
//! Promised: arguments are a list and never a shell's; nothing is asked of a terminal; what a program says is bounded, and what is quoted of
//! it holds no credentials. The time limit is the caller's: dropped before its end, a program and what it started are asked to terminate,
//! so that it can take its locks away.
//!
//! Not done here: understanding what a program says.

use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::process::Stdio;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};

/// Bytes of an output that are taken.
const OUTPUT_BYTES_MAX: u64 = 64 << 20;
/// Bytes of what it says beside it that are kept.
const SAID_BYTES_MAX: u64 = 64 << 10;

/// A program, and all it is given.
#[derive(Clone, Debug)]
pub struct Program<'a> {
    /// Its name, looked up in `PATH`.
    pub name: &'static str,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// Where it runs.
    pub folder: &'a Path,
    /// Variables that are set for it.
    pub environment: Vec<(&'static str, OsString)>,
    /// Beginnings of the names of variables that it does not inherit.
    pub without: &'static [&'static str],
    /// What it reads.
    pub input: Vec<u8>,
}

/// How a program ended.
#[derive(Clone, Debug)]
pub struct Ended {
    /// Its exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// Its output.
    pub out: Vec<u8>,
    /// What it said beside it, with credentials in addresses redacted.
    pub said: String,
}

/// Why a program could not be run.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// It is not there.
    #[error("the program `{name}` is not installed")]
    Absent {
        /// Its name.
        name: &'static str,
    },
    /// Its output is too long.
    #[error("the program `{name}` put out more than {OUTPUT_BYTES_MAX} bytes")]
    TooLong {
        /// Its name.
        name: &'static str,
    },
    /// The system failed.
    #[error("the program `{name}` cannot be run: {source}")]
    Io {
        /// Its name.
        name: &'static str,
        /// What the system said.
        source: io::Error,
    },
}

impl Program<'_> {
    /// Runs it to its end.
    ///
    /// # Errors
    /// It could not be run. That it failed is no error of this kind.
    pub async fn run(&self) -> Result<Ended, CommandError> {
        let failed = |source: io::Error| match source.kind() {
            // A folder that is missing is not found either.
            io::ErrorKind::NotFound if self.folder.is_dir() => CommandError::Absent { name: self.name },
            _ => CommandError::Io { name: self.name, source },
        };
        let mut running = Running(self.command().spawn().map_err(failed)?);
        let (input, out, said) = (running.0.stdin.take(), running.0.stdout.take(), running.0.stderr.take());
        let feed = async {
            if let Some(mut input) = input {
                // One that ends without having read all says by its exit code whether that was right.
                drop(input.write_all(&self.input).await);
            }
        };
        let ((), out, said) = tokio::join!(feed, all_of(out, OUTPUT_BYTES_MAX), all_of(said, SAID_BYTES_MAX));
        let out = out.map_err(failed)?.ok_or(CommandError::TooLong { name: self.name })?;
        let said = said.map_err(failed)?.unwrap_or_else(|| b"(too much to be shown)".to_vec());
        let status = running.0.wait().await.map_err(failed)?;
        Ok(Ended { code: status.code(), out, said: redacted(&String::from_utf8_lossy(&said)) })
    }

    #[expect(clippy::disallowed_methods, reason = "the one place that runs programs; `Running` ends what is no longer waited for")]
    fn command(&self) -> Command {
        let mut command = Command::new(self.name);
        command.args(&self.arguments).current_dir(self.folder);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let is_left_out = |name: &OsString| self.without.iter().any(|begin| name.to_string_lossy().starts_with(begin));
        for (name, _) in std::env::vars_os().filter(|(name, _)| is_left_out(name)) {
            command.env_remove(name);
        }
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        // A group of its own: a signal to the daemon's terminal does not cut it off, and what it started can be ended with it.
        command.process_group(0);
        command
    }
}

/// A child that is asked to terminate when nobody waits for it any more. Killed, it would leave its locks behind.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // There is no id once it was waited for, so no other process can be meant.
        let id = self.0.id().and_then(|id| i32::try_from(id).ok()).and_then(rustix::process::Pid::from_raw);
        if let Some(id) = id {
            // It may have ended just now; then there is nothing left to do.
            let _ = rustix::process::kill_process_group(id, rustix::process::Signal::TERM);
        }
    }
}

/// Everything of an output; `None` where that is more than `bytes_max`, which is then read on so that its writer can end.
async fn all_of(output: Option<impl AsyncRead + Unpin>, bytes_max: u64) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    let Some(mut output) = output else { return Ok(Some(bytes)) };
    (&mut output).take(bytes_max).read_to_end(&mut bytes).await?;
    let more = tokio::io::copy(&mut output, &mut tokio::io::sink()).await?;
    Ok((more == 0).then_some(bytes))
}

/// `text` with what stands between `://` and `@` left out: a name and a password.
#[must_use]
pub fn redacted(text: &str) -> String {
    let mut pieces = text.split("://");
    let mut shown = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let end = piece.find(|c: char| c == '/' || c.is_whitespace() || c == '\'' || c == '"').unwrap_or(piece.len());
        let (authority, rest) = piece.split_at(end);
        let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        shown.push_str(if host.len() == authority.len() { "://" } else { "://[secret]@" });
        shown.push_str(host);
        shown.push_str(rest);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program<'a>(name: &'static str, arguments: &[&str]) -> Program<'a> {
        let arguments = arguments.iter().map(OsString::from).collect();
        Program { name, arguments, folder: Path::new("/"), environment: Vec::new(), without: &["CARGO_"], input: b"in".to_vec() }
    }

    #[tokio::test]
    async fn a_program_gets_its_arguments_as_they_are_and_its_input() {
        let ended =
            program("sh", &["-c", "cat; echo \"$1\" >&2; env | grep -c ^CARGO_ >&2; exit 3", "sh", "$(id) ; `id`"]).run().await.unwrap();
        assert_eq!((ended.code, ended.out.as_slice(), ended.said.as_str()), (Some(3), b"in".as_slice(), "$(id) ; `id`\n0\n"));
        assert!(matches!(program("no-such-program", &[]).run().await, Err(CommandError::Absent { .. })));
    }

    #[tokio::test]
    async fn a_program_that_is_not_waited_for_is_asked_to_terminate_with_what_it_started() {
        let folder = tempfile::tempdir().unwrap();
        let script = "mkfifo fifo; trap 'echo ended > ended; exit' TERM; echo $$ > begun; while :; do read -t 1 x < fifo; done";
        let program = Program { folder: folder.path(), ..program("bash", &["-c", script]) };
        let begun = async {
            while !folder.path().join("begun").exists() {
                tokio::task::yield_now().await
            }
        };
        tokio::select! {
            ended = program.run() => panic!("{ended:?}"),
            () = begun => {}
        }
        let ended = folder.path().join("ended");
        while !ended.exists() {
            tokio::task::yield_now().await;
        }
    }

    #[test]
    fn credentials_in_addresses_are_left_out() {
        for (said, shown) in [
            (
                "unable to access 'https://ann:hunter2@git.example/x.git/': 403",
                "unable to access 'https://[secret]@git.example/x.git/': 403",
            ),
            ("https://hunter2@h", "https://[secret]@h"),
            ("https://a:p@ss@h/x@y", "https://[secret]@h/x@y"),
            ("see https://git.example/a@b and ssh://h", "see https://git.example/a@b and ssh://h"),
        ] {
            assert_eq!(redacted(said), shown);
        }
    }
}
