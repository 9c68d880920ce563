//! Settings of `sqlite`.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::contract::{Mistakes, SettingsError};

/// `[connectors.NAME]` of kind `sqlite`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The database file. It is made where there is none.
    pub path: PathBuf,
}

impl Settings {
    /// Finds what cannot work without looking at the disk.
    ///
    /// # Errors
    /// Every mistake.
    pub fn validate(&self) -> Result<(), Vec<SettingsError>> {
        let mut mistakes = Mistakes::default();
        mistakes.filled("path", &self.path.to_string_lossy());
        if self.path.to_string_lossy().ends_with('/') {
            mistakes.add("path", "names a folder", "a file, such as data/sleekplan.db");
        }
        mistakes.or(Some(()))
    }

    /// The folder the file is in.
    pub fn folder(&self) -> &Path {
        self.path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."))
    }
}
