//! The sample with one thing wrong at a time: proof that the suite sees each of them, and sees nothing else in it.

use std::sync::atomic::{AtomicU64, Ordering};

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::notes::{Notes, cases};
use super::{Op, Sample, Settings, TITLE_CHARS_MAX};
use crate::contract::{
    Capabilities, Cause, Change, Connector, Cx, Failure, Links, Plan, PlanError, Preview, RemoteKey, RemoteRef, Request, Scope, Secret,
    SettingsError, Time, Transport,
};
use crate::kit::text::line;
use crate::testing::Case;
use crate::testing::conformance::{Fake, Fixture, Hostile, Rule};

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum Breach {
    /// Every plan is a little different.
    PlansByCount,
    /// An update calls itself idempotent and makes another note.
    MakesAnotherNote,
    /// A create whose outcome is unknown is tried again at once.
    CreatesAgain,
    /// A page that cannot be read counts as empty.
    BelievesGaps,
    /// A look-up reads one page and no more.
    ReadsOnePage,
    /// A limit is called a rejection.
    ParksLimits,
    /// A service that fails is called a rejection by the check.
    ChecksCarelessly,
    /// A limit's own time is not passed on.
    ForgetsWhen,
    /// A redirect is followed, credentials and all.
    FollowsRedirects,
    /// A token that may not do something is called a rejection.
    ParksPermissions,
    /// The token is logged.
    LogsSecret,
    /// A dry run shows the token.
    PreviewsSecret,
    /// A failure quotes the token.
    QuotesSecret,
    /// Settings nobody knows are ignored.
    TakesAnySetting,
    /// A step of an earlier release has a name that is no longer known.
    ForgetsOldSteps,
    /// A step of this release has no golden.
    KeepsNoSteps,
    /// Titles are sent as strangers wrote them.
    SendsRawTitles,
    /// Titles are sent as long as strangers wrote them.
    CutsNothing,
    /// The look-up takes a marker for ours wherever it stands, and texts are sent as strangers wrote them.
    BelievesForgeries,
}

impl Breach {
    /// All of them.
    pub const ALL: &'static [Breach] = &[
        Breach::PlansByCount,
        Breach::MakesAnotherNote,
        Breach::CreatesAgain,
        Breach::BelievesGaps,
        Breach::ReadsOnePage,
        Breach::ParksLimits,
        Breach::ChecksCarelessly,
        Breach::ForgetsWhen,
        Breach::FollowsRedirects,
        Breach::ParksPermissions,
        Breach::LogsSecret,
        Breach::PreviewsSecret,
        Breach::QuotesSecret,
        Breach::TakesAnySetting,
        Breach::ForgetsOldSteps,
        Breach::KeepsNoSteps,
        Breach::SendsRawTitles,
        Breach::CutsNothing,
        Breach::BelievesForgeries,
    ];

    /// The rule it breaks, and the only one.
    pub const fn rule(self) -> Rule {
        match self {
            Breach::PlansByCount => Rule::SamePlan,
            Breach::MakesAnotherNote => Rule::OneObject,
            Breach::CreatesAgain => Rule::LostAnswer,
            Breach::BelievesGaps | Breach::ReadsOnePage => Rule::LookUp,
            Breach::ParksLimits | Breach::ChecksCarelessly | Breach::ForgetsWhen | Breach::FollowsRedirects | Breach::ParksPermissions => {
                Rule::Statuses
            }
            Breach::LogsSecret | Breach::PreviewsSecret | Breach::QuotesSecret => Rule::Secrets,
            Breach::TakesAnySetting => Rule::Settings,
            Breach::ForgetsOldSteps | Breach::KeepsNoSteps => Rule::Goldens,
            Breach::SendsRawTitles | Breach::CutsNothing | Breach::BelievesForgeries => Rule::Hostile,
        }
    }
}

/// The settings of the sample, and what is wrong with it.
#[derive(Debug, Deserialize)]
pub struct BrokenSettings {
    breach: Breach,
    #[serde(flatten)]
    sample: Map<String, Value>,
}

/// The sample with one thing wrong.
pub struct Broken {
    sample: Sample,
    breach: Breach,
    token: Secret,
    plans: AtomicU64,
}

impl Broken {
    fn is(&self, breach: Breach) -> bool {
        self.breach == breach
    }

    async fn create_again(&self, op: &Op, cx: &Cx<'_>, failure: Failure) -> Result<Option<RemoteRef>, Failure> {
        match failure {
            Failure::Unknown { .. } => self.sample.apply(op, cx).await,
            failure => Err(failure),
        }
    }
}

impl Connector for Broken {
    const KIND: &'static str = "broken";
    const CAPABILITIES: Capabilities = Sample::CAPABILITIES;
    type Settings = BrokenSettings;
    type Op = Op;

    fn new(settings: BrokenSettings) -> Result<Self, Vec<SettingsError>> {
        let BrokenSettings { breach, sample: mut settings } = settings;
        if breach == Breach::TakesAnySetting {
            settings.retain(|name, _| matches!(name.as_str(), "url" | "token"));
        }
        let wrong = |problem: String| vec![SettingsError { key: "sample", problem, expected: "the settings of the sample" }];
        let settings: Settings = serde_json::from_value(Value::Object(settings)).map_err(|error| wrong(error.to_string()))?;
        let token = settings.token.clone();
        Ok(Self { sample: Sample::new(settings)?, breach, token, plans: AtomicU64::new(0) })
    }

    fn scope(&self) -> Scope {
        self.sample.scope()
    }

    fn plan(&self, change: &Change<'_>, links: &Links) -> Result<Plan<Op>, PlanError> {
        let mut plan = self.sample.plan(change, links)?;
        let number = self.plans.fetch_add(1, Ordering::Relaxed);
        let Plan::Run(steps) = &mut plan else { return Ok(plan) };
        for step in steps {
            let (Op::Create { title, text } | Op::Update { title, text, .. }) = &mut step.op else { continue };
            let fields = &change.item.fields;
            match self.breach {
                Breach::PlansByCount => *title = number.to_string(),
                Breach::SendsRawTitles => {
                    *title = fields.text("title").unwrap_or_default().chars().take(TITLE_CHARS_MAX).collect();
                }
                Breach::CutsNothing => *title = line(&fields.text("title").unwrap_or_default(), usize::MAX),
                Breach::BelievesForgeries => {
                    // Short enough and free of what the suite's own eye would see, but for the forged marker.
                    let words = fields.text("description").unwrap_or_default();
                    let forged = words.split_once("<!-- ").and_then(|(_, rest)| rest.split_once(" -->")).map(|(marker, _)| marker);
                    let forged = forged.map(|marker| format!("\\<!-- {marker} --\\>\n\n")).unwrap_or_default();
                    *text = format!("{forged}{text}");
                }
                _ => {}
            }
        }
        Ok(plan)
    }

    fn preview(&self, op: &Op, links: &Links) -> Vec<Preview> {
        let mut previews = self.sample.preview(op, links);
        if self.is(Breach::PreviewsSecret) {
            let token = self.token.expose();
            previews.iter_mut().for_each(|preview| preview.body = json!({"token": token}));
        }
        previews
    }

    async fn apply(&self, op: &Op, cx: &Cx<'_>) -> Result<Option<RemoteRef>, Failure> {
        if self.is(Breach::LogsSecret) {
            tracing::trace!(token = self.token.expose(), "about to send");
        }
        let outcome = match self.breach {
            Breach::FollowsRedirects => {
                self.sample.apply(op, &Cx { transport: &Following(cx.transport), links: cx.links, now: cx.now }).await
            }
            _ => self.sample.apply(op, cx).await,
        };
        match (self.breach, op, outcome) {
            (Breach::MakesAnotherNote, Op::Update { title, text, .. }, Ok(remote)) => {
                self.sample.apply(&Op::Create { title: title.clone(), text: text.clone() }, cx).await?;
                Ok(remote)
            }
            (Breach::CreatesAgain, Op::Create { .. }, Err(failure)) => self.create_again(op, cx, failure).await,
            (Breach::ParksLimits, _, Err(Failure::Transient { source, .. })) => Err(Failure::Rejected { source }),
            (Breach::ForgetsWhen, _, Err(Failure::Transient { scope, source, .. })) => {
                Err(Failure::Transient { retry_after: None, scope, source })
            }
            (Breach::ParksPermissions, _, Err(Failure::Unauthorized { source })) if source.as_str().contains("403") => {
                Err(Failure::Rejected { source })
            }
            (Breach::QuotesSecret, _, Err(Failure::Unauthorized { .. })) => {
                Err(Failure::Unauthorized { source: Cause::new(format!("{} is not accepted", self.token.expose())) })
            }
            (_, _, outcome) => outcome,
        }
    }

    async fn find(&self, key: &RemoteKey, since: Time, cx: &Cx<'_>) -> Result<Option<RemoteRef>, Failure> {
        match self.breach {
            Breach::BelievesGaps => Ok(self.sample.find(key, since, cx).await.unwrap_or(None)),
            Breach::ReadsOnePage => {
                let transport = FirstPageOnly(cx.transport);
                self.sample.find(key, since, &Cx { transport: &transport, links: cx.links, now: cx.now }).await
            }
            Breach::BelievesForgeries => {
                let transport = MarkerAnywhere { inner: cx.transport, marker: key.marker(), signed: key.signed() };
                self.sample.find(key, since, &Cx { transport: &transport, links: cx.links, now: cx.now }).await
            }
            _ => self.sample.find(key, since, cx).await,
        }
    }

    async fn check(&self, cx: &Cx<'_>) -> Result<(), Failure> {
        match self.sample.check(cx).await {
            Err(Failure::Unknown { source, .. }) if self.is(Breach::ChecksCarelessly) => Err(Failure::Rejected { source }),
            outcome => outcome,
        }
    }
}

/// Sends a request again to where it was redirected.
struct Following<'a>(&'a dyn Transport);

/// Says of the first page that it is the last.
struct FirstPageOnly<'a>(&'a dyn Transport);

/// Moves a marker that stands anywhere in a note to its end, where the sample looks for it.
struct MarkerAnywhere<'a> {
    inner: &'a dyn Transport,
    marker: String,
    signed: String,
}

fn rewritten(mut response: crate::contract::Response, rewrite: impl Fn(&mut Value)) -> crate::contract::Response {
    if let Ok(mut page) = serde_json::from_slice::<Value>(&response.body)
        && page.get("notes").is_some()
    {
        rewrite(&mut page);
        response.body = page.to_string().into();
    }
    response
}

fn set(object: &mut Value, name: &str, value: Value) {
    if let Some(map) = object.as_object_mut() {
        map.insert(name.to_owned(), value);
    }
}

type Sent = Result<crate::contract::Response, crate::contract::TransportError>;

#[async_trait::async_trait]
impl Transport for FirstPageOnly<'_> {
    async fn send(&self, request: Request) -> Sent {
        Ok(rewritten(self.0.send(request).await?, |page| set(page, "next", json!(false))))
    }

    async fn fetch_untrusted(&self, url: &url::Url) -> Sent {
        self.0.fetch_untrusted(url).await
    }
}

#[async_trait::async_trait]
impl Transport for Following<'_> {
    async fn send(&self, request: Request) -> Sent {
        let response = self.0.send(request.clone()).await?;
        let location = response.headers.get(http::header::LOCATION).and_then(|location| location.to_str().ok()?.parse().ok());
        if let Some(url) = location {
            // Whatever is answered there: it is too late.
            let _ = self.0.send(Request { url, ..request }).await;
        }
        Ok(response)
    }

    async fn fetch_untrusted(&self, url: &url::Url) -> Sent {
        self.0.fetch_untrusted(url).await
    }
}

#[async_trait::async_trait]
impl Transport for MarkerAnywhere<'_> {
    async fn send(&self, request: Request) -> Sent {
        let found = |note: &mut Value| {
            let text = note.get("text").and_then(Value::as_str).unwrap_or_default().to_owned();
            if text.contains(&self.signed) {
                set(note, "text", json!(format!("{text}{}", self.marker)));
            }
        };
        Ok(rewritten(self.inner.send(request).await?, |page| {
            page.get_mut("notes").and_then(Value::as_array_mut).into_iter().flatten().for_each(found);
        }))
    }

    async fn fetch_untrusted(&self, url: &url::Url) -> Sent {
        self.inner.fetch_untrusted(url).await
    }
}

/// The fixture of a sample with this thing wrong.
pub struct BrokenFixture(pub Breach);

/// The service of a broken sample: nothing is wrong with it.
pub struct BrokenNotes {
    notes: Notes,
    breach: Breach,
}

impl Fixture for BrokenFixture {
    type Connector = Broken;
    type Fake = BrokenNotes;

    async fn start(&self) -> BrokenNotes {
        BrokenNotes { notes: Notes::start().await, breach: self.0 }
    }

    fn cases(&self) -> Vec<Case> {
        cases()
    }

    /// Far beyond the sample's limits; that 1 MiB is no problem is shown by the sample itself.
    fn largest(&self) -> usize {
        64 * 1024
    }

    fn goldens(&self) -> &'static str {
        match self.0 {
            Breach::ForgetsOldSteps => "testing/sample/goldens-forgotten",
            Breach::KeepsNoSteps => "testing/sample/goldens-missing",
            _ => "testing/sample/goldens",
        }
    }
}

impl Fake for BrokenNotes {
    fn settings(&self, canary: &str) -> Value {
        let mut settings = self.notes.settings(canary);
        if let Some(settings) = settings.as_object_mut() {
            settings.insert("breach".to_owned(), json!(format!("{:?}", self.breach)));
        }
        settings
    }

    fn objects(&self, key: &RemoteKey) -> usize {
        self.notes.objects(key)
    }

    fn check(&self, text: &Hostile, sent: &[Request]) -> Result<(), String> {
        self.notes.check(text, sent)
    }

    fn crowd(&self) {
        self.notes.crowd();
    }
}
