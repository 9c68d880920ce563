//! Ordinary entries and feedback, in every format, compared with what a person has read and found right.
//!
//! `goldens/NN-name.html` or `.txt` is the source; beside it stands one file for each format, and `.cut.md` is
//! GitHub's Markdown in at most 280 characters. With `UPDATE_GOLDENS=1` they are written anew, to be read before they
//! are committed.

use std::fs;
use std::path::{Path, PathBuf};

use super::actions::actions;
use super::reader::{html_of, html_of_events, in_order, shown, words};
use super::*;

/// The length of the cut version, in characters.
const CUT_CHARS: usize = 280;

/// The ordinary texts: name, words, and whether they are HTML.
pub(crate) fn ordinary() -> Vec<(String, String, bool)> {
    let of = |source: &PathBuf| {
        let name = source.file_stem().unwrap().to_string_lossy().into_owned();
        (name, fs::read_to_string(source).unwrap(), source.extension().is_some_and(|kind| kind == "html"))
    };
    sources().iter().map(of).collect()
}

/// Whether the golden at `path`, below this crate's folder, is `output`; with `UPDATE_GOLDENS=1` it is made so.
pub(crate) fn holds(path: &str, output: &str) -> bool {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var("UPDATE_GOLDENS").is_ok_and(|update| update == "1") {
        fs::create_dir_all(golden.parent().unwrap()).unwrap();
        fs::write(&golden, output).unwrap();
    }
    fs::read_to_string(golden).is_ok_and(|known| known == output)
}

fn sources() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("kit/text/goldens");
    let mut sources: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.file_stem().is_some_and(|stem| !stem.to_string_lossy().contains('.')))
        .collect();
    sources.sort();
    sources
}

fn read(source: &Path) -> Text {
    let content = fs::read_to_string(source).unwrap();
    if source.extension().is_some_and(|kind| kind == "html") { Text::from_html(&content) } else { Text::from_plain(&content) }
}

fn suffix(format: Format) -> &'static str {
    match format {
        Format::Html => "out.html",
        Format::Plain => "out.txt",
        Format::Slack => "slack.txt",
        Format::Markdown(Dialect::GitHub) => "github.md",
        Format::Markdown(Dialect::Hugo) => "hugo.md",
        Format::Markdown(Dialect::Zola) => "zola.md",
        Format::Markdown(Dialect::Jekyll) => "jekyll.md",
        Format::Markdown(Dialect::Astro) => "astro.md",
        Format::Markdown(Dialect::Docusaurus) => "docusaurus.md",
        Format::Markdown(Dialect::Plain) => "plain.md",
    }
}

#[test]
fn ordinary_texts_come_out_as_reviewed() {
    let update = std::env::var("UPDATE_GOLDENS").is_ok_and(|update| update == "1");
    let mut different = Vec::new();
    for source in sources() {
        let text = read(&source);
        let mut outputs: Vec<(&str, String)> = formats().into_iter().map(|format| (suffix(format), text.write(format))).collect();
        outputs.push(("cut.md", text.cut(Format::Markdown(Dialect::GitHub), CUT_CHARS).0));
        for (suffix, output) in outputs {
            let golden = source.with_extension(suffix);
            if update {
                fs::write(&golden, output + "\n").unwrap();
            } else if fs::read_to_string(&golden).ok() != Some(format!("{output}\n")) {
                different.push(golden);
            }
        }
    }
    assert_eq!(different, Vec::<PathBuf>::new());
}

#[test]
fn ordinary_texts_do_nothing_and_keep_their_words() {
    let sources = sources();
    assert!(sources.len() >= 30, "{}", sources.len());
    for source in sources {
        let text = read(&source);
        let wanted = words(&shown(&text.html(), Format::Html));
        for format in formats() {
            let output = text.write(format);
            assert_eq!(actions(&output, format), Vec::<String>::new(), "{} {format:?}", source.display());
            let seen = words(&shown(&output, format));
            assert_eq!(in_order(&wanted, &seen), Ok(()), "{} {format:?}", source.display());
        }
        let again = Text::from_html(&text.html());
        assert_eq!(again.html(), text.html(), "{}", source.display());
        let read_back = html_of(&text.markdown(Dialect::Plain));
        assert_eq!(read_back, html_of_events(text.events()), "{}", source.display());
    }
}
