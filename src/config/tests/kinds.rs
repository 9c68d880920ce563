//! Three kinds as real ones are shaped: a tracker, a chat, a site.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;
use sleeksync_connectors::contract::{
    Capabilities, Change, Connector, Cx, Failure, ItemKind, Links, Mistakes, Mode, Plan, PlanError, Preview, Reason, RemoteKey, RemoteRef,
    Scope, Secret, SettingsError, Time, build,
};
use sleeksync_connectors::registry::Kind;

/// All three.
pub(super) const KINDS: &[Kind] = &[row::<Board>(&[]), row::<Chat>(&[]), row::<Site>(&["path", "git.key_path"])];

const fn row<C: Connector>(paths: &'static [&'static str]) -> Kind {
    Kind { name: C::KIND, capabilities: C::CAPABILITIES, example: "", build: build::<C>, paths, templates: &[] }
}

const SETTLE: &[Duration] = &[Duration::ZERO, Duration::from_secs(30)];

const fn capabilities(items: &'static [ItemKind]) -> Capabilities {
    Capabilities {
        items,
        mode: Mode::Latest,
        batch_max: 1,
        rate_per_minute: 60,
        settle: SETTLE,
        max_creates_per_hour: 60,
        events_required: false,
        single_product: false,
        takes_history: false,
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BoardSettings {
    repository: String,
    token: Secret,
    #[serde(default)]
    api_url: Option<String>,
    #[serde(default, rename = "retries")]
    _retries: u32,
    #[serde(default, rename = "labels")]
    _labels: Vec<String>,
    #[serde(default, rename = "status_labels")]
    _status_labels: BTreeMap<String, String>,
    #[serde(default)]
    expect_token: Option<String>,
}

pub(super) struct Board(BoardSettings);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ChatSettings {
    webhook_url: Secret,
}

pub(super) struct Chat;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SiteSettings {
    path: PathBuf,
    #[serde(default)]
    git: Option<Git>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Git {
    key_path: PathBuf,
}

pub(super) struct Site(SiteSettings);

macro_rules! idle {
    () => {
        type Op = ();
        fn plan(&self, _: &Change<'_>, _: &Links) -> Result<Plan<()>, PlanError> {
            Ok(Plan::Skip(Reason::new("a test")))
        }
        fn preview(&self, (): &(), _: &Links) -> Vec<Preview> {
            Vec::new()
        }
        async fn apply(&self, (): &(), _: &Cx<'_>) -> Result<Option<RemoteRef>, Failure> {
            Ok(None)
        }
        async fn find(&self, _: &RemoteKey, _: Time, _: &Cx<'_>) -> Result<Option<RemoteRef>, Failure> {
            Ok(None)
        }
        async fn check(&self, _: &Cx<'_>) -> Result<(), Failure> {
            Ok(())
        }
    };
}

impl Connector for Board {
    const KIND: &'static str = "board";
    const CAPABILITIES: Capabilities = capabilities(&[ItemKind::Feedback, ItemKind::Comment]);
    type Settings = BoardSettings;

    fn new(settings: BoardSettings) -> Result<Self, Vec<SettingsError>> {
        let mut mistakes = Mistakes::default();
        if !settings.repository.contains('/') {
            mistakes.add("repository", "names no owner", "`owner/name`");
        }
        if settings.expect_token.as_deref().is_some_and(|expected| expected != settings.token.expose()) {
            mistakes.add("token", "is another", "the one of the test");
        }
        mistakes.or(Some(()))?;
        Ok(Self(settings))
    }

    fn scope(&self) -> Scope {
        Scope(format!("board:{}", self.0.repository))
    }

    fn is_public_host(&self) -> bool {
        self.0.api_url.is_none()
    }

    idle!();
}

impl Connector for Chat {
    const KIND: &'static str = "chat";
    const CAPABILITIES: Capabilities = Capabilities { events_required: true, mode: Mode::Every, ..capabilities(ItemKind::ALL) };
    type Settings = ChatSettings;

    fn new(settings: ChatSettings) -> Result<Self, Vec<SettingsError>> {
        drop(settings.webhook_url);
        Ok(Self)
    }

    fn scope(&self) -> Scope {
        Scope("chat".to_owned())
    }

    idle!();
}

impl Connector for Site {
    const KIND: &'static str = "site";
    const CAPABILITIES: Capabilities = Capabilities { single_product: true, takes_history: true, ..capabilities(&[ItemKind::Changelog]) };
    type Settings = SiteSettings;

    fn new(settings: SiteSettings) -> Result<Self, Vec<SettingsError>> {
        Ok(Self(settings))
    }

    fn scope(&self) -> Scope {
        let key = self.0.git.as_ref().map(|git| git.key_path.display().to_string());
        Scope(format!("site:{}:{}", self.0.path.display(), key.unwrap_or_default()))
    }

    idle!();
}
