//! Reads mrkdwn as Slack does (docs.slack.dev, "Formatting message text"): what it would do, and which words it shows.

/// A piece of mrkdwn.
enum Piece<'a> {
    Words(&'a str),
    /// What stands between `<` and `>`.
    Special(&'a str),
}

fn pieces(output: &str) -> Vec<Piece<'_>> {
    let (mut pieces, mut rest) = (Vec::new(), output);
    while let Some((words, after)) = rest.split_once('<') {
        pieces.push(Piece::Words(words));
        let (special, after) = after.split_once('>').unwrap_or((after, ""));
        pieces.push(Piece::Special(special));
        rest = after;
    }
    pieces.push(Piece::Words(rest));
    pieces
}

/// What Slack would do because of `output`.
pub(super) fn slack_actions(output: &str, found: &mut Vec<String>) {
    for piece in pieces(output) {
        match piece {
            Piece::Words(words) => {
                let quoted = words
                    .lines()
                    .map(|line| line.trim_start_matches(|c: char| c.is_ascii_digit() || " •>.".contains(c)))
                    .collect::<Vec<_>>()
                    .join("\n");
                found.extend(quoted.contains("> ").then(|| format!("a bare > in {words}")));
                entities(words, found);
                let lower = words.to_lowercase();
                let called = ["@here", "@channel", "@everyone"].iter().find(|call| lower.contains(**call));
                found.extend(called.map(|call| format!("{call} in {words}")));
            }
            Piece::Special(special) => {
                let (address, label) = special.split_once('|').unwrap_or((special, special));
                entities(special, found);
                if !["http://", "https://", "mailto:", "tel:"].iter().any(|scheme| address.starts_with(scheme)) {
                    found.push(format!("<{special}>"));
                }
                // A label with an address in it leads to that host, and nowhere else.
                let host = |text: &str| {
                    let lower = text.to_lowercase();
                    let behind = lower.split_once("://")?.1.trim_start_matches("www.");
                    Some(
                        behind
                            .split(|c: char| "/?#:()[]{}<>,;|\"'".contains(c) || c.is_whitespace())
                            .next()?
                            .trim_end_matches('.')
                            .to_owned(),
                    )
                };
                let (shown, target) = (label.replace("&amp;", "&").replace('\u{200B}', ""), address.replace("&amp;", "&"));
                if host(&shown).is_some_and(|shown| Some(shown) != host(&target)) {
                    found.push(format!("{shown} leads to {address}"));
                }
            }
        }
    }
}

fn entities(words: &str, found: &mut Vec<String>) {
    let bare = words.split('&').skip(1).find(|rest| !["amp;", "lt;", "gt;"].iter().any(|entity| rest.starts_with(entity)));
    found.extend(bare.map(|_| format!("a bare & in {words}")));
}

/// What a reader sees.
pub(super) fn slack_shown(output: &str) -> String {
    let shown: String = pieces(output)
        .into_iter()
        .map(|piece| match piece {
            Piece::Words(words) => words.to_owned(),
            Piece::Special(special) => special.split_once('|').map_or(special, |(_, label)| label).to_owned(),
        })
        .collect();
    shown.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}
