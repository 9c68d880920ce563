//! Names in templates and expressions: which are known, and which one was probably meant.

use minijinja::Environment;

use crate::contract::ItemKind;
use crate::kit::view::{EVENT, PRODUCT, below, names};

/// A name further away than this is no slip of the finger.
const SLIPS_MAX: usize = 3;
/// Longer names are not compared: the comparison takes the product of both lengths.
const NAME_CHARS_MAX: usize = 64;

/// Why `path`, such as `feedback.title`, is not known to templates; `None` where it is.
pub(super) fn unknown_in_template(path: &str, environment: &Environment<'_>) -> Option<String> {
    let (root, rest) = split(path);
    if let Some(kind) = ItemKind::ALL.iter().find(|kind| kind.template_name() == root) {
        return unknown_field(rest?, &names(*kind), root);
    }
    match root {
        "event" => unknown_field(rest?, &EVENT, root),
        "product" => unknown_field(rest?, &PRODUCT, root),
        // Which connectors there are is not known here.
        "links" => None,
        _ if is_builtin(root, environment) => None,
        _ => {
            let roots: Vec<&str> =
                ["event", "product", "links"].into_iter().chain(ItemKind::ALL.iter().map(|kind| kind.template_name())).collect();
            Some(refusal(root, &roots, ""))
        }
    }
}

/// Why `path`, such as `votes_up`, is not known to a condition on items of `kind`; `None` where it is.
pub(super) fn unknown_in_expression(path: &str, kind: ItemKind, environment: &Environment<'_>) -> Option<String> {
    if is_builtin(split(path).0, environment) {
        return None;
    }
    unknown_field(path, &names(kind), "")
}

fn unknown_field(path: &str, known: &[&'static str], parent: &str) -> Option<String> {
    let (field, rest) = split(path);
    if !known.contains(&field) {
        return Some(refusal(field, known, parent));
    }
    let path = if parent.is_empty() { field.to_owned() } else { format!("{parent}.{field}") };
    unknown_field(rest?, &below(field)?, &path)
}

/// The engine's own functions, such as `range`, are names like others to it.
fn is_builtin(name: &str, environment: &Environment<'_>) -> bool {
    environment.globals().any(|(global, _)| global == name)
}

fn split(path: &str) -> (&str, Option<&str>) {
    path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)))
}

fn refusal(name: &str, known: &[&str], parent: &str) -> String {
    let shown = |name: &str| if parent.is_empty() { name.to_owned() } else { format!("{parent}.{name}") };
    match nearest(name, known) {
        Some(nearest) => format!("`{}` is not known; did you mean `{}`?", shown(name), shown(nearest)),
        None => format!("`{}` is not known; known are {}", shown(name), known.join(", ")),
    }
}

/// The known name that is nearest to `name`, where one is near enough.
fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    if name.chars().count() > NAME_CHARS_MAX {
        return None;
    }
    // Sleekplan's own spellings, as they stand in its payloads.
    let bare = ["total_", "data_", "changelog_", "feedback_", "comment_", "user_", "satisfaction_"]
        .iter()
        .find_map(|prefix| name.strip_prefix(prefix));
    let own = bare.and_then(|bare| known.iter().find(|known| **known == bare || known.strip_prefix("votes_") == Some(bare)));
    let slips_max = SLIPS_MAX.min(name.chars().count() / 2);
    own.copied().or_else(|| {
        let best = known.iter().map(|known| (slips(name, known), *known)).min_by_key(|(slips, _)| *slips);
        best.filter(|(slips, _)| *slips <= slips_max).map(|(_, known)| known)
    })
}

/// How many characters have to be inserted, removed, changed or swapped with their neighbour to make `a` into `b`.
fn slips(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows: [Vec<usize>; 2] = [Vec::new(), (0..=b.len()).collect()];
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let [earlier, previous] = &rows;
            let at = |row: &Vec<usize>, place: usize| row.get(place).copied().unwrap_or(usize::MAX - 1);
            let swapped = i > 0 && j > 0 && a.get(i - 1) == Some(y) && b.get(j - 1) == Some(x);
            let swap = if swapped { at(earlier, j - 1).saturating_add(1) } else { usize::MAX };
            let change = at(previous, j).saturating_add(usize::from(x != y));
            row.push(change.min(at(previous, j + 1) + 1).min(at(&row, j) + 1).min(swap));
        }
        let [_, previous] = rows;
        rows = [previous, row];
    }
    rows.last().and_then(|row| row.last()).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_counted_as_people_make_them() {
        for (a, b, expected) in [
            ("", "", 0),
            ("title", "title", 0),
            ("tilte", "title", 1),
            ("titel", "title", 1),
            ("tite", "title", 1),
            ("status", "type", 5),
            ("", "id", 2),
        ] {
            assert_eq!(slips(a, b), expected, "{a} {b}");
        }
    }

    #[test]
    fn the_name_that_was_meant_is_found() {
        let known = names(ItemKind::Feedback);
        for (name, meant) in [
            ("tilte", Some("title")),
            ("total_up", Some("votes_up")),
            ("total_comments", Some("comments")),
            ("feedback_id", Some("id")),
            ("vote_up", Some("votes_up")),
            ("xyzzy", None),
            ("x", None),
        ] {
            assert_eq!(nearest(name, &known), meant, "{name}");
        }
        assert_eq!(nearest("data_full_name", &names(ItemKind::User)), Some("full_name"));
        assert_eq!(nearest("emial", &names(ItemKind::User)), Some("email"));
    }
}
