//! Texts in pieces, for a serialiser that takes quadratic time for whole ones.

/// After how many signs that a serialiser escapes a text is divided.
///
/// html5ever 0.40 looks through the rest of the text for `<` and `>` each time it has escaped an `&` or a no-break
/// space: a mebibyte of `&` takes it 13 seconds. An element that the sanitiser removes makes two texts of one.
const ESCAPED_SIGNS_MAX: usize = 256;

/// The element that divides a text and is removed afterwards.
pub(super) const DIVIDER: &str = "<wbr>";

/// `text` in pieces, and for each whether it must be divided from the one before, counting on from `signs`.
pub(super) fn divided<'a>(text: &'a str, signs: &mut usize) -> Vec<(&'a str, bool)> {
    let mut pieces = Vec::new();
    let mut from = 0;
    let mut divide = false;
    for (at, _) in text.match_indices(['&', '\u{A0}']) {
        *signs += 1;
        if (*signs).is_multiple_of(ESCAPED_SIGNS_MAX) {
            pieces.extend(text.get(from..at).map(|piece| (piece, divide)));
            from = at;
            divide = true;
        }
    }
    pieces.extend(text.get(from..).map(|piece| (piece, divide)));
    pieces
}
