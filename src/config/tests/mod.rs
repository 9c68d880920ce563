//! The configuration as a user meets it: text in, settings or lines out.

mod example;
mod kinds;
mod layering;
mod mistakes;
mod secrets;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::{Config, Sources, load};

/// What makes a configuration complete where a test is about something else.
const KEYS: &str = "[receiver]\nkeys = [\"k\"]\n";

/// A folder with files, an environment, and what loading them gives.
struct Case {
    folder: tempfile::TempDir,
    sources: Sources,
}

impl Case {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let sources = Sources {
            files: Vec::new(),
            working_directory: folder.path().to_owned(),
            environment: Vec::new(),
            flags: Vec::new(),
            kinds: kinds::KINDS,
        };
        Self { folder, sources }
    }

    /// With `text` as `sleeksync.toml`.
    fn of(text: &str) -> Self {
        Self::new().write("sleeksync.toml", text)
    }

    fn write(self, name: &str, text: &str) -> Self {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        self
    }

    fn env(mut self, name: &str, value: &str) -> Self {
        self.sources.environment.push((OsString::from(name), OsString::from(value)));
        self
    }

    fn files(mut self, names: &[&str]) -> Self {
        self.sources.files = names.iter().map(PathBuf::from).collect();
        self
    }

    fn path(&self, name: &str) -> PathBuf {
        Path::join(self.folder.path(), name)
    }

    fn load(&self) -> Config {
        load(&self.sources).unwrap_or_else(|error| panic!("{error}"))
    }

    fn lines(&self) -> Vec<String> {
        match load(&self.sources) {
            Ok(_) => Vec::new(),
            Err(error) => error.to_string().lines().map(str::to_owned).collect(),
        }
    }
}
