//! The suite's view of `postgres`: a schema of its own on the server of a real run, or, in a run that has none, what can be proved without.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use super::Postgres;
use crate::contract::{RemoteKey, Request, Transport};
use crate::kit::database::TABLES;
use crate::testing::conformance::{Fake, Fixture, Hostile, Rule, conformance};
use crate::testing::database::{cases, objects};
use crate::testing::postgres::{Schema, server};
use crate::testing::{Case, Nobody};

conformance!(Postgres, PostgresFixture { server: server() });

/// Rules that are left out: first those that need a server, then those that make no sense with one either.
const LEFT_OUT: &[(Rule, &str)] = &[
    (Rule::OneObject, "there is no server; `tests/real/postgres.sh` starts one"),
    (Rule::Goldens, "there is no server, see there; its steps are those of `sqlite`"),
    (Rule::Hostile, "there is no server, see there"),
    (Rule::LostAnswer, "a row has the item's own ids as its key: written again, it is the same, and nothing is looked up"),
    (Rule::LookUp, "no step is looked up, see there"),
    (Rule::Secrets, "no request carries its password; `a_password_is_in_nothing_that_can_be_seen` stands for it"),
    (Rule::Statuses, "it speaks no HTTP; `every_code_has_its_class` stands for it"),
];
/// How many of them need a server.
const NEED_SERVER: usize = 3;

struct PostgresFixture {
    server: Option<String>,
}

/// A schema, gone with the test; or no server: a loopback port that nobody listens on.
struct Server(Option<Schema>);

impl Fixture for PostgresFixture {
    type Connector = Postgres;
    type Fake = Server;

    async fn start(&self) -> Server {
        static STARTED: AtomicUsize = AtomicUsize::new(0);
        let name = format!("conformance_{}", STARTED.fetch_add(1, Ordering::Relaxed));
        Server(self.server.as_ref().map(|url| Schema::named(url, &name)))
    }

    fn cases(&self) -> Vec<Case> {
        // Without a server nothing can be delivered before them.
        cases().into_iter().filter(|case| self.server.is_some() || case.before.is_empty()).collect()
    }

    fn goldens(&self) -> &'static str {
        "sqlite/goldens"
    }

    fn exempt(&self) -> &'static [(Rule, &'static str)] {
        let anywhere = LEFT_OUT.get(NEED_SERVER..).unwrap_or_default();
        if self.server.is_some() { anywhere } else { LEFT_OUT }
    }
}

#[tokio::test]
async fn a_password_is_in_nothing_that_can_be_seen() {
    use crate::contract::{Change, Connector, Cx, Links, Plan, Time};
    const PASSWORD: &str = "hunter2hunter2";
    let settings = || serde_json::from_value::<super::Settings>(Server(None).settings(PASSWORD)).expect("settings");
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

impl Fake for Server {
    fn settings(&self, canary: &str) -> Value {
        let nowhere = || json!({"url": format!("postgres://ann:{canary}@127.0.0.1:1/app")});
        self.0.as_ref().map_or_else(nowhere, Schema::settings)
    }

    fn objects(&self, key: &RemoteKey) -> usize {
        self.0.as_ref().map_or(0, |schema| objects(key, |name| schema.rows_now(name)))
    }

    fn check(&self, text: &Hostile, _: &[Request]) -> Result<(), String> {
        let schema = self.0.as_ref().ok_or("there is no server")?;
        let tables = schema.tables_now();
        if tables == TABLES.len() + 1 { Ok(()) } else { Err(format!("after {}: {tables} tables", text.name)) }
    }

    fn transport(&self) -> Arc<dyn Transport> {
        Arc::new(Nobody)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.0.iter().for_each(Schema::drop_now);
    }
}
