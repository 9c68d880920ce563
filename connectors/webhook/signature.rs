//! Signatures of Standard Webhooks: HMAC-SHA256 over id, time and body, once for each key.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use http::HeaderName;
use ring::hmac;

use crate::contract::{Secret, SettingsError, Time};

/// The receiver's idempotency key.
pub(super) const ID: HeaderName = HeaderName::from_static("webhook-id");
/// Seconds since 1970, of this try.
pub(super) const TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
/// `v1,BASE64`, one for each key, divided by spaces.
pub(super) const SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");

/// What stands before a key.
const PREFIX: &str = "whsec_";
/// "between 24 bytes (192 bits) and 64 bytes (512 bits)" (spec, "Signature scheme").
const KEY_BYTES: std::ops::RangeInclusive<usize> = 24..=64;
/// Keys are handed around with and without padding.
const LENIENT: GeneralPurpose =
    GeneralPurpose::new(&alphabet::STANDARD, GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent));

/// One signing key.
pub(super) struct Key(hmac::Key);

impl Key {
    /// Reads `whsec_BASE64`.
    pub fn read(secret: &Secret) -> Result<Self, SettingsError> {
        let wrong = |problem: &str| SettingsError {
            key: "secret",
            problem: problem.to_owned(),
            expected: "whsec_ and 24 to 64 random bytes in base64, such as `echo whsec_$(openssl rand -base64 32)` prints",
        };
        let coded = secret.expose().trim().strip_prefix(PREFIX).ok_or_else(|| wrong("does not begin with whsec_"))?;
        let bytes = LENIENT.decode(coded).map_err(|_| wrong("is no base64 behind whsec_"))?;
        if !KEY_BYTES.contains(&bytes.len()) {
            return Err(wrong(&format!("holds {} bytes", bytes.len())));
        }
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, &bytes)))
    }
}

/// `webhook-timestamp` of a try at this time.
pub(super) fn timestamp(now: Time) -> String {
    now.as_ms().div_euclid(1000).to_string()
}

/// `webhook-signature`: a receiver that knows any of the keys can check it.
pub(super) fn sign(keys: &[Key], id: &str, timestamp: &str, body: &str) -> String {
    let signed = format!("{id}.{timestamp}.{body}");
    let signatures = keys.iter().map(|key| format!("v1,{}", STANDARD.encode(hmac::sign(&key.0, signed.as_bytes()))));
    signatures.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_that_of_the_specification() {
        // The test vector of the reference implementations (repository `standard-webhooks/standard-webhooks`, `libraries/*/tests`).
        let key = Key::read(&Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")).unwrap();
        let signature = sign(&[key], "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", r#"{"test": 2432232314}"#);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn what_is_no_key_is_refused_without_being_quoted() {
        for text in ["hunter2", "whsec_hunter2!", "whsec_aHVudGVyMg==", "whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"] {
            let Err(error) = Key::read(&Secret::new(text)) else { panic!("{text} is taken for a key") };
            assert!(!error.to_string().contains("hunter2") && !error.to_string().contains("aHVu"), "{error}");
        }
        assert!(Key::read(&Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwAA==\n")).is_ok());
        assert!(Key::read(&Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwAA")).is_ok());
    }
}
