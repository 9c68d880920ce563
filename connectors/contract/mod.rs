//! The shared model: what a connector is given and what it answers.
//!
//! Bottom of the graph: nothing in here knows a service, HTTP client, store or clock. The daemon and every connector speak in these words.

mod action;
mod capabilities;
mod change;
mod connector;
mod erased;
mod failure;
mod fields;
mod hash;
mod item;
mod link;
mod op;
mod plan;
mod product;
mod scope;
mod secret;
mod span;
mod time;
mod transport;

pub use action::{Action, UnknownAction};
pub use capabilities::{Capabilities, Mode};
pub use change::{Change, Event};
pub use connector::{Claim, Connector, Cx, Mistakes, OnMissing, OnRemoteEdit, SettingsError};
pub use erased::{AnyConnector, AnyPlan, AnyStep, BuildError, build};
pub use failure::{Cause, Failure, Limit, RetryAfter};
pub use fields::{Fields, id_of};
pub use hash::Hash;
pub use item::{Item, ItemId, ItemKind, ParseItemIdError, ProductId};
pub use link::{Link, Links, RemoteKey, RemoteRef};
pub use op::{AnyOp, OpError};
pub use plan::{Effect, For, Part, Plan, PlanError, Reason, Repeat, Step, StepName};
pub use product::Product;
pub use scope::Scope;
pub use secret::{Secret, SecretError};
pub use span::Span;
pub use time::Time;
pub use transport::{Preview, Request, Response, Transport, TransportError, Unsent};
