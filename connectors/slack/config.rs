//! Settings of `slack`.

use serde::Deserialize;

use crate::contract::{Mistakes, Secret, SettingsError};
use crate::kit::http::{Address, Base, Written, credential};
use crate::kit::template::{Output, Template};

/// The longest value in a template of one's own: two fit into a section of 3,000 characters.
const VALUE_CHARS_MAX: usize = 1_400;

/// What becomes of the next event on an item that has a message already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Style {
    /// The message is edited; comments stand in its thread.
    Live,
    /// A message of its own.
    Event,
}

/// `[connectors.NAME]` of kind `slack`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    webhook_url: Option<Secret>,
    token: Option<Secret>,
    channel: Option<String>,
    #[serde(default = "public_api")]
    api_url: String,
    style: Option<Style>,
    /// Whether people are named.
    #[serde(default)]
    pub include_author: bool,
    /// Whether comments that are not public are told.
    #[serde(default)]
    pub private_comments: bool,
    template: Option<String>,
    #[serde(default)]
    allow_insecure: bool,
}

/// Settings, parsed.
pub(super) struct Ready {
    pub place: Place,
    pub style: Style,
    pub template: Option<Template>,
}

/// Where messages go.
pub(super) enum Place {
    /// An incoming webhook: says nothing of what it made.
    Webhook(Address),
    /// A channel that a bot writes to.
    Channel { api: Base, token: Secret, channel: String },
}

fn public_api() -> String {
    "https://slack.com/api".to_owned()
}

impl Settings {
    pub(super) fn ready(&self) -> Result<Ready, Vec<SettingsError>> {
        let mut mistakes = Mistakes::default();
        let place = self.place(&mut mistakes);
        let is_webhook = self.webhook_url.is_some();
        if is_webhook && self.style == Some(Style::Live) {
            mistakes.add("style", "an incoming webhook cannot edit what it has sent", "\"event\", or token and channel");
        }
        let output = Output::Slack { chars_max: VALUE_CHARS_MAX };
        let template = mistakes.note(self.template.as_deref().map(|source| Template::new("template", source, output)).transpose());
        let style = self.style.unwrap_or(if is_webhook { Style::Event } else { Style::Live });
        let made = place.zip(template).map(|(place, template)| Ready { place, style, template });
        mistakes.or(made)
    }

    fn place(&self, mistakes: &mut Mistakes) -> Option<Place> {
        let both = "either webhook_url, or token and channel";
        match (&self.webhook_url, &self.token, &self.channel) {
            (Some(url), None, None) => {
                let address = Address::parse("webhook_url", &Written::Secret(url.clone()), self.allow_insecure);
                mistakes.note(address).map(Place::Webhook)
            }
            (None, Some(token), Some(channel)) => {
                mistakes.note(credential("token", token));
                let channel = channel.trim();
                if channel.trim_start_matches('#').is_empty() || channel.contains(char::is_whitespace) {
                    mistakes.add("channel", format!("`{}` is no channel", channel.escape_debug()), "an id such as C024BE91L, or a name");
                }
                let api = mistakes.note(Base::parse("api_url", &self.api_url, self.allow_insecure))?;
                Some(Place::Channel { api, token: token.clone(), channel: channel.to_owned() })
            }
            (None, Some(_), None) => {
                mistakes.add("channel", "is missing", both);
                None
            }
            (None, None, _) => {
                mistakes.add("webhook_url", "is missing, and so is token", both);
                None
            }
            (Some(_), ..) => {
                mistakes.add("webhook_url", "stands beside token or channel", both);
                None
            }
        }
    }
}
