//! Connectors as the daemon sees them: one queue and one journal serve all kinds.

use async_trait::async_trait;
use serde_json::Value;

use super::{
    AnyOp, Capabilities, Change, Claim, Connector, Cx, Failure, Links, OnMissing, OpError, Plan, PlanError, Preview, RemoteKey, RemoteRef,
    Scope, SettingsError, Step, Time,
};

/// A step of a connector of any kind.
pub type AnyStep = Step<AnyOp>;
/// A plan of such steps.
pub type AnyPlan = Plan<AnyOp>;

/// Why an instance could not be made from its settings.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// A key is unknown, missing, or of the wrong type. `path` is below the connector's table.
    #[error("{path}: {message}")]
    Shape {
        /// Where, such as `closed_statuses.done`.
        path: String,
        /// What serde said.
        message: String,
    },
    /// Values that cannot work, all of them.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Values(Vec<SettingsError>),
}

/// Any connector. See [`Connector`] for what each of these promises.
#[async_trait]
pub trait AnyConnector: Send + Sync {
    /// The word users write behind `kind =`.
    fn kind(&self) -> &'static str;
    /// What it can do.
    fn capabilities(&self) -> Capabilities;
    /// What it writes to.
    fn scope(&self) -> Scope;
    /// Places besides its scope that no other connector may write.
    fn claims(&self) -> Vec<Claim>;
    /// Whether the default rate applies.
    fn is_public_host(&self) -> bool;
    /// What follows a deletion at the service.
    fn on_missing(&self) -> OnMissing;
    /// What is to be done.
    ///
    /// # Errors
    /// What a person has to mend in the configuration.
    fn plan(&self, change: &Change<'_>, links: &Links) -> Result<AnyPlan, PlanError>;
    /// The requests a step would make.
    ///
    /// # Errors
    /// A step of another release.
    fn preview(&self, op: &AnyOp, links: &Links) -> Result<Vec<Preview>, OpError>;
    /// Performs one step once.
    async fn apply(&self, op: &AnyOp, cx: &Cx<'_>) -> Result<Result<Option<RemoteRef>, Failure>, OpError>;
    /// Looks an object up.
    async fn find(&self, key: &RemoteKey, first_intent_at: Time, cx: &Cx<'_>) -> Result<Option<RemoteRef>, Failure>;
    /// Proves the credentials.
    async fn check(&self, cx: &Cx<'_>) -> Result<(), Failure>;
}

#[async_trait]
impl<C: Connector> AnyConnector for C {
    fn kind(&self) -> &'static str {
        C::KIND
    }

    fn capabilities(&self) -> Capabilities {
        C::CAPABILITIES
    }

    fn scope(&self) -> Scope {
        Connector::scope(self)
    }

    fn claims(&self) -> Vec<Claim> {
        Connector::claims(self)
    }

    fn is_public_host(&self) -> bool {
        Connector::is_public_host(self)
    }

    fn on_missing(&self) -> OnMissing {
        Connector::on_missing(self)
    }

    fn plan(&self, change: &Change<'_>, links: &Links) -> Result<AnyPlan, PlanError> {
        Ok(match Connector::plan(self, change, links)? {
            Plan::Skip(reason) => Plan::Skip(reason),
            Plan::Wait(what) => Plan::Wait(what),
            Plan::Run(steps) => Plan::Run(steps.into_iter().map(|step| step.with(AnyOp::planned)).collect()),
        })
    }

    fn preview(&self, op: &AnyOp, links: &Links) -> Result<Vec<Preview>, OpError> {
        let mut read = None;
        Ok(Connector::preview(self, op.read(&mut read)?, links))
    }

    async fn apply(&self, op: &AnyOp, cx: &Cx<'_>) -> Result<Result<Option<RemoteRef>, Failure>, OpError> {
        let mut read = None;
        Ok(Connector::apply(self, op.read(&mut read)?, cx).await)
    }

    async fn find(&self, key: &RemoteKey, first_intent_at: Time, cx: &Cx<'_>) -> Result<Option<RemoteRef>, Failure> {
        Connector::find(self, key, first_intent_at, cx).await
    }

    async fn check(&self, cx: &Cx<'_>) -> Result<(), Failure> {
        Connector::check(self, cx).await
    }
}

/// Makes an instance of `C` from its settings.
///
/// # Errors
/// The first setting of a wrong shape with its path, or every value that cannot work with its key.
pub fn build<C: Connector>(settings: Value) -> Result<Box<dyn AnyConnector>, BuildError> {
    let settings = serde_path_to_error::deserialize(settings)
        .map_err(|error| BuildError::Shape { path: error.path().to_string(), message: error.inner().to_string() })?;
    Ok(Box::new(C::new(settings).map_err(BuildError::Values)?))
}
