//! Answers without a daemon, by opening the store: the same answers as over HTTP. Nothing is delivered meanwhile.

use std::time::Duration;

use super::client::{ApiAnswer, ApiRequest};
use super::run::transport;
use super::{CommandError, Context};
use crate::admin::api;
use crate::app::{OpenStoreError, Store};
use crate::clock::Clock;
use crate::config::{LocalConfig, load};
use crate::journal::OpenError;

/// How long the index may take to be rebuilt before the command gives up.
const INDEX_PATIENCE: Duration = Duration::from_secs(600);
/// How long closing may take.
const CLOSE_PATIENCE: Duration = Duration::from_secs(30);

/// Answers `request` from the store, as the admin API would.
///
/// # Errors
/// [`CommandError::Held`] where the store cannot be used, because a daemon that does not answer holds it.
pub(super) async fn answer(context: &Context, local: &LocalConfig, request: &ApiRequest) -> Result<ApiAnswer, CommandError> {
    let config = load(&context.sources)?;
    let store = match Store::open(&config, Clock::system()).await {
        Err(OpenStoreError::Journal(held @ OpenError::InUse { .. })) => {
            return Err(CommandError::Held { address: local.admin.listen.to_string(), held });
        }
        opened => opened?,
    };
    store.assign(&config, &transport(&config)?);
    let ready = async {
        let index = &store.shared().index;
        if !index.wait_ready().await {
            return false;
        }
        if is_question(request) {
            store.suppose(&config);
            return true;
        }
        let known = store.enroll(&config).await;
        let written = store.shared().journal.synced().borrow().0;
        known && index.wait_folded(written).await
    };
    let ready = tokio::time::timeout(INDEX_PATIENCE, ready).await;
    let answer = match ready {
        Ok(true) => {
            let body = serde_json::to_vec(&request.body).unwrap_or_default().into();
            let (status, body) = api::ask(&store.desk, request.method.clone(), &request.path, &query_of(request), body).await;
            Ok(ApiAnswer { status, body })
        }
        _ => Err(CommandError::Refused { message: "the index could not be built".to_owned(), hint: "see the log".to_owned() }),
    };
    store.close(CLOSE_PATIENCE).await;
    answer
}

/// Whether it changes nothing: then it must not put a configuration to work either.
fn is_question(request: &ApiRequest) -> bool {
    let is_dry = request.body.get("dry_run") == Some(&serde_json::Value::Bool(true));
    request.method == http::Method::GET || is_dry || request.path.ends_with("/plan") || request.path.ends_with("/check")
}

fn query_of(request: &ApiRequest) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    request.query.iter().for_each(|(name, value)| {
        query.append_pair(name, value);
    });
    query.finish()
}
