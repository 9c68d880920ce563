//! What an image is, by its first bytes and not by what its server calls it.

/// The ending of the file's name; `None` for what is no image, and for SVG, which can carry scripts.
pub fn ending(bytes: &[u8]) -> Option<&'static str> {
    let at = |from: usize, part: &[u8]| bytes.get(from..).is_some_and(|rest| rest.starts_with(part));
    match () {
        () if at(0, b"\x89PNG\r\n\x1a\n") => Some("png"),
        () if at(0, b"\xff\xd8\xff") => Some("jpg"),
        () if at(0, b"GIF87a") || at(0, b"GIF89a") => Some("gif"),
        () if at(0, b"RIFF") && at(8, b"WEBP") => Some("webp"),
        () if at(4, b"ftypavif") => Some("avif"),
        () => None,
    }
}
