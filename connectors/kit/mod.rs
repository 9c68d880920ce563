//! What connectors share: text conversion, HTTP, templates, markers.

pub mod http;
pub mod template;
pub mod text;
pub mod view;
