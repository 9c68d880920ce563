//! Which HTML elements a text can say, and under which one name.

/// What the text can say of an element, by its HTML name.
pub(super) fn known(name: &str) -> Option<&'static str> {
    Some(match name {
        "p" => "p",
        "div" | "section" | "article" | "header" | "footer" | "main" | "aside" | "nav" | "address" | "figure" | "figcaption"
        | "details" | "summary" | "dl" | "dt" | "dd" | "fieldset" | "legend" | "form" | "center" | "hgroup" | "caption" | "tfoot"
        | "option" | "textarea" | "body" => "div",
        "b" | "strong" => "strong",
        "i" | "em" => "em",
        "s" | "strike" | "del" => "del",
        "code" | "kbd" | "samp" | "tt" => "code",
        "h1" => "h1",
        "h2" => "h2",
        "h3" => "h3",
        "h4" => "h4",
        "h5" => "h5",
        "h6" => "h6",
        "pre" | "xmp" | "listing" => "pre",
        "blockquote" => "blockquote",
        "ul" | "menu" | "dir" => "ul",
        "ol" => "ol",
        "li" => "li",
        "a" => "a",
        "img" | "image" => "img",
        "br" => "br",
        "hr" => "hr",
        "table" => "table",
        "thead" => "thead",
        "tbody" => "tbody",
        "tr" => "tr",
        "td" => "td",
        "th" => "th",
        _ => return None,
    })
}

/// Whether it stands in running text.
pub(super) fn inline(name: &str) -> bool {
    matches!(name, "strong" | "em" | "del" | "code" | "a")
}
