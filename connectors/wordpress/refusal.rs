//! What a refusal means where its status alone does not say it.

use serde_json::Value;

use crate::contract::{Cause, Failure, Response};
use crate::kit::http::said;

/// Refusals that are about one post and not about the user's rights in general.
const ABOUT_ONE_POST: [&str; 3] = ["rest_cannot_edit", "rest_cannot_delete", "rest_cannot_assign_term"];
/// How PHP begins what it prints before the answer (`display_errors`).
const NOTICES: [&str; 5] = ["<b>Notice</b>:", "<b>Warning</b>:", "<b>Deprecated</b>:", "<b>Fatal error</b>:", "PHP "];
/// How far into an answer notices are looked for, in bytes.
const NOTICE_BYTES_MAX: usize = 4096;

/// WordPress' own words, and those of what stands in front of it. Pure.
pub(super) fn refine(response: &Response) -> Option<Failure> {
    let json: Option<Value> = serde_json::from_slice(&response.body).ok();
    let code = |pointer: &str| json.as_ref().and_then(|json| json.pointer(pointer)?.as_str()).unwrap_or_default();
    let source = || said(response);
    let because = |hint: &str| Cause::new(format!("{}; {hint}", said(response)));
    match (response.status.as_u16(), code("/code")) {
        (200..=299, _) if json.is_none() && is_notice(&response.body) => Some(Failure::Unknown {
            retry_after: None,
            source: because("PHP prints a notice before the answer: set display_errors = Off, or WP_DEBUG_DISPLAY to false"),
        }),
        // Who may not see drafts is not logged in, or no author.
        (400, "rest_invalid_param") if code("/data/details/status/code") == "rest_forbidden_status" => {
            Some(Failure::Unauthorized { source: because("the user may not see drafts, or was not recognised: check --live says which") })
        }
        (403, code) if ABOUT_ONE_POST.contains(&code) => Some(anothers(response)),
        (403, code) if code.starts_with("rest_") => Some(Failure::Unauthorized { source: source() }),
        (403, "") if json.is_none() => {
            Some(Failure::Unauthorized { source: because("a firewall in front of WordPress, or a plugin, keeps this daemon out") })
        }
        // Not the post is missing, but the address under which posts are.
        (404, "rest_no_route") => Some(Failure::Unauthorized { source: because("is post_type right, and its plugin active?") }),
        (404, "") if json.is_none() => Some(Failure::Unauthorized {
            source: because("there is no REST API here: is url right, are permalinks other than plain, does a plugin switch it off?"),
        }),
        (501, "rest_trash_not_supported") => {
            Some(Failure::Rejected { source: because("this site has no trash: set on_unpublish to \"draft\" or \"delete\"") })
        }
        // A sign that the column of an old database cannot hold; what else fails there may pass.
        (500, "db_insert_error" | "db_update_error") if names_field(json.as_ref()) => {
            Some(Failure::Rejected { source: because("the site's database cannot hold a sign of this text") })
        }
        // Said of bytes that are no image to WordPress: the same again is no better.
        (500, "rest_upload_sideload_error") => Some(Failure::Rejected { source: source() }),
        _ => None,
    }
}

/// Whether the database names a column that refused what was to go into it.
fn names_field(json: Option<&Value>) -> bool {
    let said = json.and_then(|json| json.get("additional_data")).map(Value::to_string).unwrap_or_default();
    ["post_content", "post_title"].iter().any(|column| said.contains(&format!("failed: {column}")))
}

/// The same of a request that carries an entry's text, which a firewall may take exception to.
pub(super) fn refine_text(response: &Response) -> Option<Failure> {
    match refine(response) {
        Some(Failure::Unauthorized { .. })
            if response.status.as_u16() == 403 && serde_json::from_slice::<Value>(&response.body).is_err() =>
        {
            let cause = format!("{}; a firewall in front of WordPress, or a plugin, refused this text", said(response));
            Some(Failure::Rejected { source: Cause::new(cause) })
        }
        other => other,
    }
}

/// The same of a new category or tag: who may not make one may write posts.
pub(super) fn refine_term(response: &Response) -> Option<Failure> {
    match refine(response) {
        Some(Failure::Unauthorized { source }) if response.status.as_u16() == 403 => Some(Failure::Rejected { source }),
        other => other,
    }
}

/// The same of a request for one post as its editor sees it.
pub(super) fn refine_post(response: &Response) -> Option<Failure> {
    let is_refused = response.status.as_u16() == 403
        && serde_json::from_slice::<Value>(&response.body)
            .is_ok_and(|json| json.get("code").is_some_and(|code| code == "rest_forbidden_context"));
    if is_refused { Some(anothers(response)) } else { refine(response) }
}

fn anothers(response: &Response) -> Failure {
    let cause = format!("{}; the user may not change this post: is it another user's?", said(response));
    Failure::Rejected { source: Cause::new(cause) }
}

fn is_notice(body: &[u8]) -> bool {
    let head = String::from_utf8_lossy(body.get(..NOTICE_BYTES_MAX).unwrap_or(body));
    NOTICES.iter().any(|notice| head.contains(notice))
}
