//! Inputs built to be slow. Each is a mebibyte and must take time in proportion to its size.

use std::time::{Duration, Instant};

use super::*;

/// Far more than a linear reading takes here without optimisation, far less than a quadratic one.
const PATIENCE: Duration = Duration::from_secs(20);

fn filled(unit: &str) -> String {
    unit.repeat(HTML_BYTES_MAX / unit.len())
}

#[test]
fn a_mebibyte_of_anything_is_read_and_written_in_linear_time() {
    let units = [
        "<div>",
        "<b>",
        "<b><p>",
        "<font size=1><p>",
        "<ul><li>",
        "<blockquote>",
        "<table><tr><td>",
        "<td>",
        "</div>",
        "<a href=x>",
        "<a x=\"",
        "<!--",
        "<!---->",
        "<title>",
        "<svg>",
        "<select><option>",
        "<",
        "</",
        "&",
        "&amp;",
        "&lt;",
        "[[[[",
        "****",
        "~~~~",
        "````",
        "*a **b ",
        "<b>\"a\"</b>b",
        "<i>a<b>b</b></i>",
        "{{< ",
        "<code>{{&lt; ",
        "<pre>{{% %}}",
        "@a ",
        "#1 ",
        "https://a.bc/) ",
        "http://",
        ")",
        "www.",
        "a<br>",
        "<p>a",
        "<hr>",
        "<img src=https://a.b/c>",
        "<tr><td>a<td>b",
        "<h1>a",
        "\u{A0}",
        "a_",
        "<p>`a`</p>",
        "github.com ",
    ];
    let mut slow = Vec::new();
    for unit in units {
        let started = Instant::now();
        let input = filled(unit);
        let text = Text::from_html(&input);
        let read = started.elapsed();
        for format in formats() {
            let at = Instant::now();
            let output = text.write(format);
            if at.elapsed() > Duration::from_secs(1) {
                slow.push(format!(
                    "{unit} as {format:?}: {:?} for {} bytes",
                    at.elapsed(),
                    output.len()
                ));
            }
        }
        let (cut, _) = text.cut(Format::Markdown(Dialect::GitHub), 65_536);
        assert!(cut.chars().count() <= 65_536);
        if read > Duration::from_secs(1) {
            slow.push(format!("{unit}: read in {read:?}"));
        }
        assert!(
            started.elapsed() < PATIENCE,
            "{unit} took {:?}",
            started.elapsed()
        );
    }
    println!("slowest: {slow:#?}");
}
