//! Code in Markdown, and the programs that execute what stands in it.
//!
//! - Hugo looks for shortcodes before it reads Markdown, in code too; `{{</* x */>}}` is its way to show `{{< x >}}`
//!   anywhere (docs page "Shortcodes", its lexer `parser/pageparser/pagelexer_shortcode.go`). The comment must be
//!   closed, or the site does not build: where there is no end a zero-width space parts the braces. The same goes for
//!   the summary divider `<!--more-->`.
//! - Zola replaces `{{ name() }}` and `{% name() %}` before it reads Markdown, in code too (its grammar
//!   `components/markdown/src/content.pest`), and Jekyll's Liquid does the same. Both keep raw HTML, so such code is
//!   written as HTML with entities.
//! - Docusaurus changes lines of a file before it reads Markdown, in blocks of code too: see `unprocessed`.
//! - Nothing is looked for in code by GitHub, Astro and MDX.

use super::super::Dialect;
use super::super::characters::ZERO_WIDTH_SPACE;

/// A code span.
pub(super) fn span(code: &str, dialect: Dialect, in_cell: bool) -> String {
    if executed(code, dialect) {
        return format!("<code>{}</code>", entities(code, "\\`*_[]{}<>&~|!#$^\""));
    }
    let code = shown(code, dialect);
    let fence = "`".repeat(longest_run(&code) + 1);
    let spaced = code.starts_with(' ') && code.ends_with(' ') && !code.trim_matches(' ').is_empty();
    let pad = spaced || code.starts_with('`') || code.ends_with('`');
    let pad = if pad { " " } else { "" };
    // In a cell a bar ends the cell even in code, except for kramdown.
    let code = if in_cell && dialect != Dialect::Jekyll { code.replace('|', "\\|") } else { code };
    format!("{fence}{pad}{code}{pad}{fence}")
}

/// The language of blocks that Docusaurus unwraps.
const UNWRAPPED: &str = "mdx-code-block";
/// What Docusaurus takes for a command in a block of code: that block is unwrapped, and lines with the others are left out (docs page "Code
/// blocks", "Custom magic comments").
const COMMANDS: [&str; 4] = [UNWRAPPED, "highlight-next-line", "highlight-start", "highlight-end"];

/// A block of code.
pub(super) fn block(language: &str, code: &str, dialect: Dialect) -> String {
    let code = code.strip_suffix('\n').unwrap_or(code);
    if executed(code, dialect) {
        let class = if language.is_empty() { String::new() } else { format!(" class=\"language-{language}\"") };
        return format!("<pre><code{class}>{}</code></pre>", entities(code, "{}<>&\""));
    }
    let code = if dialect == Dialect::Docusaurus { unprocessed(code) } else { shown(code, dialect) };
    // Docusaurus takes the fence of a block in this language away, and what it holds would act.
    let language = if dialect == Dialect::Docusaurus && language.starts_with(UNWRAPPED) { "" } else { language };
    let fence = "`".repeat((longest_run(&code) + 1).max(3));
    format!("{fence}{language}\n{code}\n{fence}")
}

/// `code` with a mark that nobody sees where Docusaurus would change a line of it: at [`COMMANDS`], and, before anything is read as Markdown,
/// at `{#id}` behind `#` and at `:::note Title` (`mdx-loader/src/preprocessor.ts`, read at 3.10).
fn unprocessed(code: &str) -> String {
    let lines = code.split('\n').map(|line| {
        let begins = line.trim_start_matches(|c: char| c == '>' || c.is_whitespace());
        let name = begins.trim_start_matches(':');
        if begins.len() - name.len() >= 3 && !name.is_empty() {
            let at = line.len() - name.len();
            return format!("{}{ZERO_WIDTH_SPACE}{name}", line.get(..at).unwrap_or_default());
        }
        let line = if line.starts_with('#') { line.replace("{#", &format!("{{{ZERO_WIDTH_SPACE}#")) } else { line.to_owned() };
        COMMANDS.iter().fold(line, |line, command| match command.split_once('-') {
            Some((begin, end)) if line.contains(command) => line.replace(command, &format!("{begin}{ZERO_WIDTH_SPACE}-{end}")),
            _ => line,
        })
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Whether the program would run something in `code` and reads HTML instead.
fn executed(code: &str, dialect: Dialect) -> bool {
    match dialect {
        Dialect::Zola | Dialect::Jekyll => code.contains("{{") || code.contains("{%") || code.contains("{#"),
        Dialect::GitHub | Dialect::Hugo | Dialect::Astro | Dialect::Docusaurus | Dialect::Plain => false,
    }
}

/// `code` as it has to stand in the file to be shown as it is.
pub(super) fn shown(code: &str, dialect: Dialect) -> String {
    if dialect != Dialect::Hugo {
        return code.to_owned();
    }
    let code = code.replace("<!--more", "<\u{200B}!--more").replace("{{__hugo", "{\u{200B}{__hugo");
    let mut out = String::with_capacity(code.len());
    let mut rest = code.as_str();
    while let Some((before, open, after)) = next_call(rest) {
        out.push_str(before);
        let end = if open == "<" { ">}}" } else { "%}}" };
        // The call must end before the next one begins, or the comment would swallow that.
        let inside = after.split("{{").next().and_then(|reach| reach.split_once(end)).map(|(inside, _)| inside);
        rest = match inside {
            // Hugo's lexer takes the first `*/` before an end, and `inside` holds no end.
            Some(inside) => {
                out.extend(["{{", open, "/*", inside, "*/", end]);
                after.get(inside.len() + end.len()..).unwrap_or_default()
            }
            None => {
                out.extend(['{', ZERO_WIDTH_SPACE, '{']);
                out.push_str(open);
                after
            }
        };
    }
    out.push_str(rest);
    out
}

/// The next `{{<` or `{{%`: what stands before it, its last sign, and what follows.
fn next_call(code: &str) -> Option<(&str, &'static str, &str)> {
    code.match_indices('{').find_map(|(at, _)| {
        let (before, call) = code.split_at_checked(at)?;
        ["<", "%"].into_iter().find_map(|sign| {
            let after = call.strip_prefix("{{")?.strip_prefix(sign)?;
            Some((before, sign, after))
        })
    })
}

/// `code` with each of `signs` as an entity: as the content of an HTML element it reads the same and does nothing.
fn entities(code: &str, signs: &str) -> String {
    let mut out = String::with_capacity(code.len() * 2);
    for c in code.chars() {
        if signs.contains(c) {
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
