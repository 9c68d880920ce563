//! A setting that is not known is a mistake, not a comment.

use serde_json::json;

use super::{Fake, Fixture, Rule, Violation, canary};
use crate::contract::build;

/// The name of a setting nobody has.
const UNKNOWN: &str = "no_such_setting";

/// A setting that no connector has is refused, by its name.
///
/// # Errors
/// How it was broken.
pub async fn unknown_settings_are_refused<F: Fixture>(fixture: &F) -> Result<(), Violation> {
    let mut settings = fixture.start().await.settings(&canary());
    let Some(map) = settings.as_object_mut() else { return Err(Rule::Settings.broken("the fixture's settings are no table")) };
    map.insert(UNKNOWN.to_owned(), json!(true));
    match build::<F::Connector>(settings) {
        Ok(_) => Err(Rule::Settings.broken(format!("`{UNKNOWN} = true` is accepted: the settings do not deny unknown fields"))),
        Err(error) if error.to_string().contains(UNKNOWN) => Ok(()),
        Err(error) => Err(Rule::Settings.broken(format!("`{UNKNOWN} = true` is refused, but not by its name: {error}"))),
    }
}
