//! What connectors share: text conversion, HTTP, programs, templates, markers.

pub mod command;
pub mod database;
pub mod entry;
pub mod http;
pub mod image;
pub mod template;
pub mod text;
pub mod view;
