//! Where a configuration comes from: files, the environment, the command line, each a layer over the one before.
//!
//! Reading stops at no mistake. What the values mean is not known here.

use std::ffi::OsString;
use std::io::Read;
use std::path::{Path, PathBuf};

use figment::value::{Dict, Map, Value};
use figment::{Metadata, Profile, Provider};
use sleeksync_connectors::registry::{Kind, REGISTRY};

use super::mistake::Mistake;
use super::toml_text::{Scalars, parse_document};

/// The file that is read from the working directory where none is named.
pub const DEFAULT_FILE: &str = "sleeksync.toml";

/// Only variables that start like this are configuration.
pub const ENVIRONMENT_PREFIX: &str = "SLEEKSYNC__";

/// Longest configuration file that is read.
const FILE_BYTES_MAX: u64 = 4 << 20;

/// All that a configuration is made from.
#[derive(Clone)]
pub struct Sources {
    /// The files, later ones win. Empty: `sleeksync.toml` of the working directory, where there is one.
    pub files: Vec<PathBuf>,
    /// Where the default file is looked for and what paths of the environment and the command line hang on.
    pub working_directory: PathBuf,
    /// Environment variables; those that do not start with `SLEEKSYNC__` are passed over.
    pub environment: Vec<(OsString, OsString)>,
    /// Keys that the command line sets, such as `("log.filter", "debug")`. They win over everything.
    pub flags: Vec<(&'static str, String)>,
    /// The kinds a connector can be of.
    pub kinds: &'static [Kind],
}

impl Sources {
    /// This process's: its working directory, its environment, all kinds.
    pub fn of_process(files: Vec<PathBuf>, flags: Vec<(&'static str, String)>) -> Self {
        // Absolute, so that a scope made of a path is the same wherever the program is started.
        let working_directory = std::env::current_dir().unwrap_or_default();
        Self { files, working_directory, environment: std::env::vars_os().collect(), flags, kinds: REGISTRY }
    }
}

/// One source of values.
pub(super) struct Layer {
    /// How messages call it.
    pub(super) label: String,
    /// What relative paths in it hang on.
    pub(super) folder: PathBuf,
    /// Whether all its values are text that may stand for something else: the environment and the command line.
    pub(super) is_text: bool,
    dict: Dict,
}

/// A layer under the name figment reports it by: its place.
pub(super) struct Placed<'a>(pub(super) usize, pub(super) &'a Layer);

impl Provider for Placed<'_> {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.0.to_string())
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        Ok(Map::from([(Profile::Default, self.1.dict.clone())]))
    }
}

/// Reads all layers, lowest first; what cannot be read is a mistake and left out.
pub(super) fn read_layers(sources: &Sources, mistakes: &mut Vec<Mistake>) -> Vec<Layer> {
    let mut layers = Vec::new();
    for file in files(sources) {
        layers.extend(read_file(&sources.working_directory, &file, mistakes));
    }
    let mut variables: Vec<_> = sources.environment.iter().collect();
    variables.sort();
    for (name, value) in variables {
        let Some(rest) = name.to_str().and_then(|name| name.strip_prefix(ENVIRONMENT_PREFIX)) else { continue };
        let path: Vec<String> = rest.split("__").map(str::to_lowercase).collect();
        let label = name.to_string_lossy().into_owned();
        match value.to_str() {
            _ if path.iter().any(String::is_empty) => mistakes.push(Mistake {
                file: label,
                key: path.join("."),
                problem: "names no key".to_owned(),
                expected: "expected `__` between levels, such as SLEEKSYNC__RECEIVER__LISTEN".to_owned(),
            }),
            None => mistakes.push(Mistake {
                file: label,
                key: path.join("."),
                problem: "is not UTF-8".to_owned(),
                expected: "expected text".to_owned(),
            }),
            Some(text) => layers.push(text_layer(label, &sources.working_directory, path, text)),
        }
    }
    for (key, text) in &sources.flags {
        let path = key.split('.').map(str::to_owned).collect();
        layers.push(text_layer("command line".to_owned(), &sources.working_directory, path, text));
    }
    layers
}

fn files(sources: &Sources) -> Vec<PathBuf> {
    if !sources.files.is_empty() {
        return sources.files.clone();
    }
    let default = PathBuf::from(DEFAULT_FILE);
    if sources.working_directory.join(&default).exists() { vec![default] } else { Vec::new() }
}

fn text_layer(label: String, folder: &Path, path: Vec<String>, text: &str) -> Layer {
    let mut value = Value::from(text);
    let mut path = path.into_iter();
    let first = path.next().unwrap_or_default();
    for key in path.rev() {
        value = Value::from(Dict::from([(key, value)]));
    }
    Layer { label, folder: folder.to_owned(), is_text: true, dict: Dict::from([(first, value)]) }
}

fn read_file(working_directory: &Path, file: &Path, mistakes: &mut Vec<Mistake>) -> Option<Layer> {
    let label = file.display().to_string();
    let full = working_directory.join(file);
    let mistake = |key: &str, problem: String, expected: &str| Mistake {
        file: label.clone(),
        key: key.to_owned(),
        problem,
        expected: expected.to_owned(),
    };
    let text = match read_text(&full) {
        Ok(text) => text,
        Err(error) => {
            mistakes.push(mistake("file", format!("cannot be read: {}", error.kind()), "expected a readable TOML file"));
            return None;
        }
    };
    let (dict, faults) = parse_document(&text, Scalars::Typed);
    mistakes.extend(faults.into_iter().map(|fault| mistake(&format!("line {}", fault.line), fault.problem, &fault.expected)));
    let folder = full.parent().map(Path::to_owned).unwrap_or_default();
    Some(Layer { label, folder, is_text: false, dict })
}

fn read_text(path: &Path) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(std::io::ErrorKind::FileTooLarge.into());
    }
    // Editors of some systems put a byte order mark in front.
    let text = String::from_utf8(bytes).map_err(|_| std::io::ErrorKind::InvalidData)?;
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}
