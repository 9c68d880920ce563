//! One run of words as Markdown: every character that the dialect would read as markup, escaped.
//!
//! A character is escaped only where it could mean something: `snake_case`, `C:\path` and `a < b` stay as they are.
//! kramdown does not take a backslash before every sign, so where it does not there is an entity.

use super::super::Dialect;
use super::code::entity;
use super::inline::Place;

/// The longest name of an entity that is looked for, in characters: HTML has none longer.
const ENTITY_CHARS_MAX: usize = 33;

/// The longest number that begins an item: CommonMark reads nine digits.
const ITEM_DIGITS_MAX: usize = 9;

/// An empty element between two characters keeps apart what a pass over the tree would take together: a backslash is gone there.
const APART: &str = "<span></span>";

/// Where a run of words stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Context {
    pub(super) dialect: Dialect,
    pub(super) place: Place,
    /// Whether it begins a line on which a block could begin.
    pub(super) at_line_start: bool,
    /// Whether it is the text of a link.
    pub(super) in_link: bool,
    /// Whether it describes an image: an attribute, in which nothing acts and no element can stand.
    pub(super) in_image: bool,
    /// The character before it.
    pub(super) before: Option<char>,
}

impl Context {
    /// Whether the file may be read as MDX, where `{` begins an expression and `<` a component.
    fn mdx(self) -> bool {
        matches!(self.dialect, Dialect::Astro | Dialect::Docusaurus)
    }

    /// Whether Docusaurus would replace what begins with `c`: the emoji of `:tada:` (remark-emoji), and `{#id}` in a heading (its own id).
    fn replaced(self, c: char, rest: &str) -> bool {
        let names_emoji = || {
            let name = rest.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || "_-+".contains(c));
            name.len() < rest.len() && name.starts_with(':')
        };
        match c {
            _ if self.dialect != Dialect::Docusaurus || self.in_image => false,
            ':' => names_emoji(),
            '{' => matches!(self.place, Place::Heading(_)) && rest.starts_with('#'),
            _ => false,
        }
    }

    fn jekyll(self) -> bool {
        self.dialect == Dialect::Jekyll
    }
}

/// Appends `text`, escaped. Its last character is escaped if anything that follows could give it a meaning.
pub(super) fn push(text: &str, context: Context, out: &mut String) {
    let skip = if context.at_line_start { line_start(text, context, out) } else { 0 };
    let mut before = text.get(..skip).and_then(|done| done.chars().next_back()).or(context.before);
    for (at, c) in text.char_indices().skip_while(|(at, _)| *at < skip) {
        let rest = text.get(at + c.len_utf8()..).unwrap_or_default();
        character(c, before, rest, context, out);
        before = Some(c);
    }
}

/// Escapes what would begin a block, and returns how many bytes it took.
fn line_start(text: &str, context: Context, out: &mut String) -> usize {
    let mut chars = text.chars();
    let Some(first) = chars.next() else { return 0 };
    let second = chars.next();
    let ends = second.is_none_or(char::is_whitespace);
    let escaped = match first {
        '#' | '>' | '=' | '|' | '*' | '_' => true,
        '-' | '+' => ends || second == Some(first),
        ':' => ends || matches!(second, Some(':' | '-')),
        _ => false,
    };
    if escaped {
        out.push('\\');
        out.push(first);
        if context.replaced(first, text.get(first.len_utf8()..).unwrap_or_default()) {
            out.push_str(APART);
        }
        return first.len_utf8();
    }
    if first == '^' && context.jekyll() {
        out.push_str(&entity(first));
        return first.len_utf8();
    }
    if context.mdx() && (text.starts_with("import") || text.starts_with("export")) {
        out.push_str(&entity(first));
        return first.len_utf8();
    }
    let digits = text.chars().take_while(char::is_ascii_digit).count();
    let mut after = text.chars().skip(digits);
    if (1..=ITEM_DIGITS_MAX).contains(&digits)
        && let Some(delimiter @ ('.' | ')')) = after.next()
        && after.next().is_none_or(char::is_whitespace)
    {
        out.extend(text.chars().take(digits));
        out.push('\\');
        out.push(delimiter);
        return digits + 1;
    }
    0
}

fn character(c: char, before: Option<char>, rest: &str, context: Context, out: &mut String) {
    let next = rest.chars().next();
    let spaced = before.is_none_or(char::is_whitespace) && next.is_some_and(char::is_whitespace);
    let inside_word = before.is_some_and(char::is_alphanumeric) && next.is_some_and(char::is_alphanumeric);
    let cell = context.place == Place::Cell;
    if improved(c, before, rest, context, out) {
        // Astro's pass works on the tree, where a backslash is gone: an element between the two keeps them apart.
        out.push_str(if context.dialect == Dialect::Astro { APART } else { "\\" });
        return out.push(c);
    }
    if context.replaced(c, rest) {
        out.push_str(&if c == '{' { entity(c) } else { c.to_string() });
        return out.push_str(APART);
    }
    let escaped = match c {
        '\\' => next.is_none_or(|next| next.is_ascii_punctuation()),
        '*' => !spaced,
        '_' => !spaced && !inside_word,
        // In a row of a table kramdown looks for code without regard to backslashes.
        '`' if context.jekyll() => return out.push_str(&entity(c)),
        '`' | '[' | ']' => true,
        '~' if context.jekyll() && !spaced => return out.push_str(&entity(c)),
        // Before the mark that ends a deletion Hugo's parser would count it in, backslash or not.
        '~' if next.is_none() => return out.push_str(&entity(c)),
        '~' => !spaced,
        // An address that is no link of ours: GitHub and MDX would take all that follows for a part of it.
        ':' if !context.in_link && rest.starts_with("//") && ends_with_one(out, &["http", "https", "ftp"]) => {
            return out.push_str(&entity(c));
        }
        '.' if !context.in_link && ends_with_one(out, &["www"]) => return out.push_str(&entity(c)),
        '|' => cell || context.jekyll(),
        // At the end of a heading they would be taken for its closing.
        '#' => matches!(context.place, Place::Heading(_)) && next.is_none_or(|next| next == '#'),
        // As GitHub's docs page "Writing mathematical expressions" keeps a dollar sign out of a formula. A formula ends with one that has no
        // space before it, so prices stay as they are typed.
        '$' if context.dialect == Dialect::GitHub
            && !context.in_image
            && (before.is_some_and(|c| !c.is_whitespace()) || next.is_none_or(|c| c == '$')) =>
        {
            return out.push_str("<span>$</span>");
        }
        '$' => context.jekyll() && (before == Some('$') || next == Some('$')),
        '<' if context.mdx() || context.jekyll() || !next.is_some_and(char::is_whitespace) => {
            return out.push_str("&lt;");
        }
        '&' if entity_like(rest) => return out.push_str("&amp;"),
        '{' if !matches!(context.dialect, Dialect::GitHub | Dialect::Plain) => {
            return out.push_str(&entity(c));
        }
        '}' if context.mdx() => return out.push_str(&entity(c)),
        _ => false,
    };
    if escaped {
        out.push('\\');
    }
    out.push(c);
}

/// Whether a site would make one typographic sign of `c` and its neighbours, as Hugo (goldmark's typographer), Jekyll (kramdown's typographic
/// symbols) and Astro (remark-smartypants) do by default: a dash of `--force`, an ellipsis of `...`, a guillemet of `>>`.
fn improved(c: char, before: Option<char>, rest: &str, context: Context, out: &str) -> bool {
    let by_pass = context.dialect == Dialect::Astro && !context.in_image;
    let by_parser = matches!(context.dialect, Dialect::Hugo | Dialect::Jekyll);
    match c {
        '-' => before == Some('-') && (by_parser || by_pass),
        '.' => (by_parser || by_pass) && (rest.starts_with("..") || out.ends_with("..")),
        '>' => by_parser && (rest.starts_with('>') || before == Some('>')),
        _ => false,
    }
}

/// Whether `out` ends with one of `words`, in upper or lower case.
fn ends_with_one(out: &str, words: &[&str]) -> bool {
    words.iter().any(|word| {
        let from = out.len().checked_sub(word.len());
        from.and_then(|from| out.get(from..)).is_some_and(|end| end.eq_ignore_ascii_case(word))
    })
}

/// Whether `&` before `rest` is an entity.
fn entity_like(rest: &str) -> bool {
    let name = rest.strip_prefix('#').unwrap_or(rest);
    let length = name.chars().take(ENTITY_CHARS_MAX).take_while(char::is_ascii_alphanumeric).count();
    length > 0 && name.get(length..).is_some_and(|after| after.starts_with(';'))
}
