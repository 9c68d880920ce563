//! What connectors share: text conversion, HTTP, templates, markers.

pub mod template;
pub mod text;
