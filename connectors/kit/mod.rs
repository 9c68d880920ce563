//! What connectors share: text conversion, HTTP, templates, markers.

pub mod entry;
pub mod http;
pub mod image;
pub mod template;
pub mod text;
pub mod view;
