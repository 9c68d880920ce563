//! Inputs built to be slow. Each is a mebibyte and must take time in proportion to its size.
#![expect(clippy::disallowed_methods, reason = "how long it takes is what is measured here; connectors have no clock")]

use std::time::{Duration, Instant};

use super::*;

/// Many times what a linear reading takes here without optimisation, and less than a quadratic one.
const PATIENCE: Duration = Duration::from_secs(20);

fn all_are_fast(units: &[&str]) {
    for unit in units {
        let input = unit.repeat(TEXT_BYTES_MAX / unit.len());
        let started = Instant::now();
        let text = Text::from_html(&input);
        println!("{unit:?} read {:?}", started.elapsed());
        for format in [Format::Html, Format::Plain, Format::Markdown(Dialect::GitHub), Format::Markdown(Dialect::Hugo)] {
            assert!(Length::Bytes(usize::MAX).holds(&text.write(format)));
        }
        let written = started.elapsed();
        let (cut, _) = text.cut(Format::Markdown(Dialect::GitHub), 65_536);
        assert!(cut.chars().count() <= 65_536);
        let all = started.elapsed();
        println!("{unit:?} written {written:?} cut {all:?}");
        assert!(all < PATIENCE, "{unit} took {all:?}");
    }
}

#[test]
fn deep_nesting_is_read_in_linear_time() {
    all_are_fast(&["<div>", "<b><p>", "<font size=1><p>", "<ul><li>", "<blockquote>", "<table><tr><td>"]);
}

#[test]
fn what_never_ends_is_read_in_linear_time() {
    all_are_fast(&["<a href=x>", "<a x=\"", "<!--", "<!---->", "<title>", "<svg>", "<select><option>", "<", "</"]);
}

#[test]
fn signs_without_end_are_written_in_linear_time() {
    all_are_fast(&["&", "\u{A0}", "<code>&</code>", "[[[[", "****", "~~~~", "````", "<pre>{{% %}}", "@a ", "http://", "https://a.bc/) "]);
}

#[test]
fn many_small_pieces_are_written_in_linear_time() {
    all_are_fast(&["<b>\"a\"</b>b", "<i>a<b>b</b></i>", "a<br>", "<p>a", "<img src=https://a.b/c alt=&&&&&&&&&>", "<tr><td>a<td>b"]);
}

#[test]
fn a_huge_table_is_written_in_linear_time() {
    let rows = "<tr><td>a<td>b&amp;<td>c|".repeat(TEXT_BYTES_MAX / 32);
    let text = Text::from_html(&format!("<table><tr>{}{rows}", "<td>x".repeat(1_000)));
    let started = Instant::now();
    assert!(text.markdown(Dialect::GitHub).contains("b&"));
    assert!(started.elapsed() < PATIENCE);
}
