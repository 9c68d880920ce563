//! The suite's view of `postgres`: what can be proved without a server. All the rest is proved against a real one.

use std::sync::Arc;

use serde_json::{Value, json};

use super::Postgres;
use crate::contract::{RemoteKey, Request, Transport};
use crate::testing::conformance::{Fake, Fixture, Hostile, Rule, conformance};
use crate::testing::database::cases;
use crate::testing::{Case, Nobody};

conformance!(Postgres, PostgresFixture);

struct PostgresFixture;

/// No server: a loopback port that nobody listens on.
struct Nowhere;

impl Fixture for PostgresFixture {
    type Connector = Postgres;
    type Fake = Nowhere;

    async fn start(&self) -> Nowhere {
        Nowhere
    }

    fn cases(&self) -> Vec<Case> {
        // Nothing can be delivered before them.
        cases().into_iter().filter(|case| case.before.is_empty()).collect()
    }

    fn goldens(&self) -> &'static str {
        "postgres/goldens"
    }

    fn exempt(&self) -> &'static [(Rule, &'static str)] {
        &[
            (
                Rule::OneObject,
                "`many_at_once_are_written` and the others of `tests/real/postgres.sh`, each step done twice, on a real server",
            ),
            (Rule::LostAnswer, "a row has the item's own ids as its key: written again, it is the same, and nothing is looked up"),
            (Rule::LookUp, "no step is looked up, see there"),
            (Rule::Statuses, "it speaks no HTTP; `every_code_has_its_class` stands for it"),
            (Rule::Hostile, "`odd_values_survive` of `tests/real/postgres.sh`, on a real server"),
        ]
    }
}

impl Fake for Nowhere {
    fn settings(&self, canary: &str) -> Value {
        json!({"url": format!("postgres://ann:{canary}@127.0.0.1:1/app")})
    }

    fn objects(&self, _: &RemoteKey) -> usize {
        0
    }

    fn check(&self, _: &Hostile, _: &[Request]) -> Result<(), String> {
        Err("there is no server".to_owned())
    }

    fn transport(&self) -> Arc<dyn Transport> {
        Arc::new(Nobody)
    }
}
