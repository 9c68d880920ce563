//! What tests of connectors share: fake services that fail like real ones.

pub mod github;
