//! Requests and the credentials on them.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::Method;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use serde::Serialize;
use serde_json::Value;
use url::Url;

use crate::contract::{Request, Secret, SettingsError};

/// A request that asks for JSON, and sends `body` as JSON where there is one: plain data of strings, numbers, lists and maps.
pub fn json_request<T: Serialize + ?Sized>(method: Method, url: Url, body: Option<&T>) -> Request {
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    let body = match body {
        Some(body) => {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            // Writing plain data cannot fail; an empty body would be refused by every service that wants JSON.
            serde_json::to_vec(body).unwrap_or_default().into()
        }
        None => bytes::Bytes::new(),
    };
    Request { method, url, headers, body }
}

/// The map `fields` and what `more` says.
pub fn with(mut fields: Value, more: Value) -> Value {
    if let (Value::Object(fields), Value::Object(more)) = (&mut fields, more) {
        fields.extend(more);
    }
    fields
}

/// Sets `Authorization: SCHEME SECRET`, such as `Bearer …`; marked sensitive.
pub fn authorize(request: &mut Request, scheme: &str, secret: &Secret) {
    sensitive(request, AUTHORIZATION, &format!("{scheme} {}", secret.expose()));
}

/// Sets `Authorization: Basic …` (RFC 7617); marked sensitive.
pub fn basic(request: &mut Request, username: &str, password: &Secret) {
    let pair = STANDARD.encode(format!("{username}:{}", password.expose()));
    sensitive(request, AUTHORIZATION, &format!("Basic {pair}"));
}

/// Sets a header of the service's own that carries a secret, such as `X-Redmine-API-Key`; marked sensitive.
pub fn secret_header(request: &mut Request, name: HeaderName, secret: &Secret) {
    sensitive(request, name, secret.expose());
}

/// Refuses a secret that no header can carry, so that it is a mistake in the configuration and not a puzzling 401.
///
/// # Errors
/// A control character in it.
pub fn credential(key: &'static str, secret: &Secret) -> Result<(), SettingsError> {
    if HeaderValue::from_bytes(secret.expose().as_bytes()).is_ok() {
        return Ok(());
    }
    Err(SettingsError { key, problem: "has a line break or another control character in it".to_owned(), expected: "one line" })
}

fn sensitive(request: &mut Request, name: HeaderName, value: &str) {
    // A value no header can carry was refused by `credential`; without one the service answers 401 and the connector stops.
    if let Ok(mut value) = HeaderValue::from_bytes(value.as_bytes()) {
        value.set_sensitive(true);
        request.headers.insert(name, value);
    }
}

/// Base64 for addresses and tokens, without padding (RFC 4648, section 5).
pub fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn url() -> Url {
        "https://example.com/x".parse().unwrap()
    }

    #[test]
    fn no_credential_is_printed() {
        let secret = Secret::new("hunter2");
        let mut request = json_request(Method::POST, url(), Some(&json!({"title": "x"})));
        authorize(&mut request, "Bearer", &secret);
        secret_header(&mut request, HeaderName::from_static("x-api-key"), &secret);
        let shown = format!("{request:?} {}", serde_json::to_string(&request.preview()).unwrap());
        assert!(!shown.contains("hunter2"), "{shown}");
        assert_eq!(request.headers.get(AUTHORIZATION).unwrap().as_bytes(), b"Bearer hunter2");

        basic(&mut request, "Aladdin", &Secret::new("open sesame"));
        // RFC 7617, section 2.
        assert_eq!(request.headers.get(AUTHORIZATION).unwrap().as_bytes(), b"Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        assert!(!format!("{request:?}").contains("QWxh"));
    }

    #[test]
    fn a_secret_of_two_lines_is_a_wrong_setting() {
        assert!(credential("token", &Secret::new("one")).is_ok());
        let error = credential("token", &Secret::new("one\ntwo")).unwrap_err();
        assert!(!error.to_string().contains("two"), "{error}");
    }
}
