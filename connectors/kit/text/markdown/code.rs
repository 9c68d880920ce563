//! Code in Markdown, and the programs that execute what stands in it.
//!
//! - Hugo looks for shortcodes before it reads Markdown, in code too; `{{</* x */>}}` is its way to show `{{< x >}}`
//!   anywhere (docs page "Shortcodes", its lexer `parser/pageparser/pagelexer_shortcode.go`). The comment must be
//!   closed, or the site does not build: where there is no end a zero-width space parts the braces. The same goes for
//!   the summary divider `<!--more-->`.
//! - Zola replaces `{{ name() }}` and `{% name() %}` before it reads Markdown, in code too (its grammar
//!   `components/markdown/src/content.pest`), and Jekyll's Liquid does the same. Both keep raw HTML, so such code is
//!   written as HTML with entities.
//! - Nothing is looked for in code by GitHub, Astro, Docusaurus and MDX.

use std::fmt::Write as _;

use super::super::Dialect;
use super::super::characters::ZERO_WIDTH_SPACE;

/// A code span.
pub(super) fn span(code: &str, dialect: Dialect, in_cell: bool) -> String {
    if executed(code, dialect) {
        return format!("<code>{}</code>", entities(code));
    }
    let code = shown(code, dialect);
    let fence = "`".repeat(longest_run(&code) + 1);
    let pad = code.starts_with('`')
        || code.ends_with('`')
        || (code.starts_with(' ') && code.ends_with(' '));
    let pad = if pad { " " } else { "" };
    // In a cell a bar ends the cell even in code, except for kramdown.
    let code = if in_cell && dialect != Dialect::Jekyll {
        code.replace('|', "\\|")
    } else {
        code
    };
    format!("{fence}{pad}{code}{pad}{fence}")
}

/// A block of code.
pub(super) fn block(language: &str, code: &str, dialect: Dialect) -> String {
    let code = code.strip_suffix('\n').unwrap_or(code);
    if executed(code, dialect) {
        let class = if language.is_empty() {
            String::new()
        } else {
            format!(" class=\"language-{language}\"")
        };
        return format!("<pre><code{class}>{}</code></pre>", entities(code));
    }
    let code = shown(code, dialect);
    let fence = "`".repeat((longest_run(&code) + 1).max(3));
    format!("{fence}{language}\n{code}\n{fence}")
}

/// Whether the program would run something in `code` and reads HTML instead.
fn executed(code: &str, dialect: Dialect) -> bool {
    match dialect {
        Dialect::Zola | Dialect::Jekyll => {
            code.contains("{{") || code.contains("{%") || code.contains("{#")
        }
        Dialect::GitHub | Dialect::Hugo | Dialect::Astro | Dialect::Docusaurus | Dialect::Plain => {
            false
        }
    }
}

/// `code` as it has to stand in the file to be shown as it is.
pub(super) fn shown(code: &str, dialect: Dialect) -> String {
    if dialect != Dialect::Hugo {
        return code.to_owned();
    }
    let mut out = String::with_capacity(code.len());
    let mut rest = code
        .replace("<!--more", "<\u{200B}!--more")
        .replace("{{__hugo", "{\u{200B}{__hugo");
    while let Some((at, end)) = rest.match_indices("{{").find_map(|(at, _)| {
        let end = match rest.get(at + 2..)?.chars().next()? {
            '<' => ">}}",
            '%' => "%}}",
            _ => return None,
        };
        Some((at, end))
    }) {
        let (before, call) = rest.split_at_checked(at).unwrap_or((&rest, ""));
        out.push_str(before);
        let (open, inside) = call.split_at_checked(3).unwrap_or((call, ""));
        let left = match inside.split_once(end) {
            // The lexer looks for the first `*/` with the end after it: there must be none before ours.
            Some((inside, left)) if !inside.contains("{{") => {
                out.push_str(open);
                let _ = write!(out, "/*{inside}*/{end}");
                left
            }
            _ => {
                out.push('{');
                out.push(ZERO_WIDTH_SPACE);
                out.push_str(open.trim_start_matches('{').trim_start());
                inside
            }
        };
        rest = left.to_owned();
    }
    out.push_str(&rest);
    out
}

/// `code` with everything but letters, digits and white space as entities: no Markdown, Liquid or shortcode is left.
fn entities(code: &str) -> String {
    let mut out = String::with_capacity(code.len() * 2);
    for c in code.chars() {
        if c.is_ascii_punctuation() {
            out.push_str(&entity(c));
        } else {
            out.push(c);
        }
    }
    out
}

/// `c` as a numeric entity.
pub(super) fn entity(c: char) -> String {
    format!("&#{};", u32::from(c))
}

fn longest_run(code: &str) -> usize {
    let (mut longest, mut run) = (0, 0);
    for c in code.chars() {
        run = if c == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    longest
}
