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
        "sqlite/goldens"
    }

    fn exempt(&self) -> &'static [(Rule, &'static str)] {
        &[
            (
                Rule::OneObject,
                "`many_at_once_are_written` and the others of `tests/real/postgres.sh`, each step done twice, on a real server",
            ),
            (Rule::LostAnswer, "a row has the item's own ids as its key: written again, it is the same, and nothing is looked up"),
            (Rule::LookUp, "no step is looked up, see there"),
            (Rule::Goldens, "its steps are those of `sqlite`, whose goldens guard them"),
            (Rule::Secrets, "nothing can be sent without a server; `a_password_is_in_nothing_that_can_be_seen` stands for it"),
            (Rule::Statuses, "it speaks no HTTP; `every_code_has_its_class` stands for it"),
            (Rule::Hostile, "`odd_values_survive` of `tests/real/postgres.sh`, on a real server"),
        ]
    }
}

#[tokio::test]
async fn a_password_is_in_nothing_that_can_be_seen() {
    use crate::contract::{Change, Connector, Cx, Links, Plan, Time};
    const PASSWORD: &str = "hunter2hunter2";
    let settings = || serde_json::from_value::<super::Settings>(Nowhere.settings(PASSWORD)).expect("settings");
    let connector = Postgres::new(settings()).expect("a connector");
    let mut seen = format!("{:?} {:?} {}", settings(), settings().address(), Connector::scope(&connector));
    for case in cases() {
        let (product, key, links) =
            (crate::testing::product(), crate::testing::key_of(&Connector::scope(&connector), &case.then.item.id), Links::default());
        let change =
            Change { item: &case.then.item, parent: None, event: None, product: &product, key: &key, at: case.then.at, is_history: false };
        let Ok(Plan::Run(steps)) = Connector::plan(&connector, &change, &links) else { panic!("no steps for {}", case.name) };
        for step in &steps {
            let said = connector.apply(&step.op, &Cx { transport: &Nobody, links: &links, now: Time::ZERO }).await;
            seen += &format!("{steps:?} {:?} {said:?}", connector.preview(&step.op, &links));
        }
    }
    let said = connector.check(&Cx { transport: &Nobody, links: &Links::default(), now: Time::ZERO }).await;
    seen += &format!("{said:?}");
    assert!(seen.contains("[secret]") && seen.contains("Connection refused"), "it was tried");
    assert!(!seen.contains(PASSWORD));
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
