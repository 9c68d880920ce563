//! Ghost's tokens: a JWT for a few minutes, signed with the key's secret half (docs.ghost.org, "Token Authentication").

use ring::hmac;
use serde_json::json;

use super::config::Ready;
use crate::contract::{Secret, Time};
use crate::kit::http::base64url;

/// The longest a token may be good for, in seconds. Ghost counts it from `iat` too ("maxAge exceeded").
const LIFE_SECS: i64 = 300;

/// A token for requests that are made from `now` on.
pub(super) fn token(ready: &Ready, now: Time) -> Secret {
    let issued = now.as_ms().div_euclid(1000);
    let header = json!({"alg": "HS256", "kid": ready.id, "typ": "JWT"});
    let claims = json!({"aud": "/admin/", "exp": issued + LIFE_SECS, "iat": issued});
    let signed = format!("{}.{}", base64url(header.to_string().as_bytes()), base64url(claims.to_string().as_bytes()));
    let signature = hmac::sign(&ready.key, signed.as_bytes());
    Secret::new(format!("{signed}.{}", base64url(signature.as_ref())))
}
