//! Whether Ghost has mailed a post that was published with a newsletter.
//!
//! Ghost answers the publication at once and mails in a job of its own, whose outcome stands in the post's `email` (seen at Ghost 6.65: pending,
//! submitting, then submitted or failed with an error). Only reads: a failed mailing is tried again by a person in Ghost, which sends what is missing.

use std::time::Duration;

use serde_json::Value;

use super::Ghost;
use super::plan::MAILED;
use crate::contract::{Cause, Cx, Failure, Limit, RetryAfter};

/// The first look comes too early for any mailing.
const PAUSE_MIN: Duration = Duration::from_secs(2);
/// A large list takes minutes.
const PAUSE_MAX: Duration = Duration::from_secs(60);
/// Ghost tries its mail service and its database again for half an hour at most (`batch-sending-service.js`), and has ended then.
const PATIENCE: Duration = Duration::from_secs(60 * 60);

impl Ghost {
    /// Done once Ghost has handed the mails over; until then it is looked at again, less and less often.
    pub(super) async fn confirm_mailing(&self, cx: &Cx<'_>) -> Result<(), Failure> {
        let known = self.read(cx).await?;
        let email = |name: &str| known.json.pointer(&format!("/posts/0/email/{name}")).and_then(Value::as_str);
        let rejected = |cause: String| Err(Failure::Rejected { source: Cause::new(cause) });
        match email("status") {
            Some("failed") => {
                // Where nothing went out it says no more than that: what the mail service said stands in the email's batches, which Ghost
                // shows to no integration (403, "API tokens do not have permission to access this endpoint").
                let error = email("error").unwrap_or("it gives no reason").trim_end_matches('.');
                rejected(format!(
                    "the post is published, but Ghost could not mail it: {error}. Let Ghost try again, then `retry` looks again"
                ))
            }
            Some(status @ ("pending" | "submitting")) => {
                let begun = cx.links.own.get(&MAILED).map_or(cx.now, |link| link.updated_at);
                let age = cx.now.since(begun);
                if age > PATIENCE {
                    return rejected(format!("the post is published, and after an hour Ghost still says of its mails: {status}"));
                }
                let retry_after = Some(RetryAfter::In(age.clamp(PAUSE_MIN, PAUSE_MAX)));
                let source = Cause::new(format!("the post is published, and Ghost says of its mails: {status}"));
                Err(Failure::Transient { retry_after, scope: Limit::Item, source })
            }
            // Submitted; or never mailed, because a person was quicker to publish it, which was told then.
            _ => Ok(()),
        }
    }
}
