//! Where the copy of this run is.

use std::path::Path;

use serde_json::{Value, json};
use sleeksync_connectors::contract::ItemKind;
use sleeksync_connectors::testing::database::{Row, rows};
use sleeksync_connectors::testing::postgres::{Cut, Line, Schema, server};
use sleeksync_connectors::testing::sqlite::File;

/// A database for one test.
pub enum Place {
    File(File),
    /// On a server; the daemon's line to it is cut now and then, at a commit.
    Schema(Schema, Line),
}

/// Of so many commits, two are cut: one before it arrives, one behind it.
const CUT_OF: usize = 16;

impl Place {
    /// A schema of this name on the server of the run, or a file where there is none.
    pub async fn of(folder: &Path, name: &str) -> Self {
        let Some(url) = server() else { return Self::File(File::at(folder.join("copy.db"))) };
        let cut = |commit: usize| match commit % CUT_OF {
            5 => Some(Cut::Before),
            13 => Some(Cut::Behind),
            _ => None,
        };
        Self::Schema(Schema::named(&url, name), Line::to(&url, cut).await)
    }

    /// A connector `copy` to it, as TOML.
    pub fn connector(&self) -> String {
        let (kind, settings) = match self {
            Self::File(file) => ("sqlite", json!({"path": file.path()})),
            Self::Schema(schema, line) => ("postgres", schema.settings_at(&line.url)),
        };
        // A text is written in TOML as in JSON.
        let settings: Vec<String> = settings.as_object().unwrap().iter().map(|(name, value)| format!("{name} = {value}\n")).collect();
        let delivery = "[connectors.copy.delivery]\nbackoff_min = \"10ms\"\nbackoff_max = \"50ms\"\n";
        format!("[connectors.copy]\nkind = \"{kind}\"\n{}{delivery}", settings.concat())
    }

    /// How often commits were cut, before and behind, where there is a line.
    pub fn cuts(&self) -> Option<[usize; 2]> {
        match self {
            Self::File(_) => None,
            Self::Schema(_, line) => Some([Cut::Before, Cut::Behind].map(|cut| line.cuts(cut))),
        }
    }

    /// The rows of a table: by their key, times in milliseconds, JSON read.
    pub async fn rows(&self, kind: ItemKind) -> Vec<Row> {
        match self {
            Self::File(file) => rows(file, kind).await,
            Self::Schema(schema, _) => rows(schema, kind).await,
        }
    }

    /// The only row of a table.
    pub async fn only(&self, kind: ItemKind) -> Value {
        let rows = self.rows(kind).await;
        assert_eq!(rows.len(), 1, "{kind}");
        json!(rows[0])
    }
}
