//! The scenarios of every database against a real PostgreSQL server, and those of a connection that is lost.

mod line;

pub use line::{Cut, Line};

use serde_json::{Value, json};
use tokio_postgres::NoTls;
use url::Url;

use super::database::{Ends, Place, Row, Tables, all, bring, holds, only};
use super::items::feedback;
use crate::contract::{Connector, Cx, ItemKind, Links, Secret, Time};
use crate::postgres::{Postgres, Settings};
use crate::testing::Nobody;

/// Names the server of a real run.
const SERVER: &str = "SLEEKSYNC_POSTGRES_URL";

/// The server that this run was told of, on a plain loopback address, whose user may do everything.
pub fn server() -> Option<String> {
    std::env::var(SERVER).ok().filter(|url| !url.is_empty())
}

/// A schema of its own on a server.
pub struct Schema {
    url: String,
    name: String,
}

impl Schema {
    /// The one of this name; it need not be there.
    pub fn named(url: &str, name: &str) -> Self {
        Self { url: url.to_owned(), name: name.to_owned() }
    }

    /// The connector's settings.
    pub fn settings(&self) -> Value {
        self.settings_at(&self.url)
    }

    /// The same with another address of the server.
    pub fn settings_at(&self, url: &str) -> Value {
        json!({"url": url, "schema": self.name})
    }

    /// The same as [`Tables::rows`], for who cannot wait.
    pub fn rows_now(&self, name: &str) -> Vec<Row> {
        self.now(self.rows(name))
    }

    /// How many tables it has.
    pub fn tables_now(&self) -> usize {
        self.now(async { self.ask(&format!("SELECT tablename::text FROM pg_tables WHERE schemaname = '{}'", self.name)).await.len() })
    }

    /// Takes the schema away with all that is in it.
    pub fn drop_now(&self) {
        self.now(self.run(&format!("DROP SCHEMA IF EXISTS \"{}\" CASCADE", self.name)));
    }

    /// A thread of its own: the runtime of who asks must not be held up by itself.
    fn now<T: Send>(&self, asked: impl Future<Output = T> + Send) -> T {
        let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        std::thread::scope(|scope| scope.spawn(|| runtime().block_on(asked)).join().expect("an answer"))
    }

    async fn ask(&self, sql: &str) -> Vec<String> {
        let (client, connection) = tokio_postgres::connect(&self.url, NoTls).await.expect("a connection");
        let asked = async {
            let rows = client.query(sql, &[]).await.expect("an answer");
            rows.iter().map(|row| row.get(0)).collect()
        };
        tokio::select! { rows = asked => rows, ended = connection => panic!("the connection ended: {ended:?}") }
    }

    async fn run(&self, sql: &str) {
        let (client, connection) = tokio_postgres::connect(&self.url, NoTls).await.expect("a connection");
        tokio::select! { done = client.batch_execute(sql) => done.expect("done"), ended = connection => panic!("the connection ended: {ended:?}") }
    }

    fn at(&self, url: &str) -> Postgres {
        connector(url, &self.name)
    }
}

fn connector(url: &str, schema: &str) -> Postgres {
    Postgres::new(Settings { url: Secret::new(url), schema: schema.to_owned(), allow_insecure: false }).expect("settings")
}

impl Tables for Schema {
    async fn rows(&self, name: &str) -> Vec<Row> {
        let table = format!("\"{}\".\"{name}\"", self.name);
        // In front of the first row there is no table.
        if self.ask(&format!("SELECT 'yes' WHERE to_regclass('{table}') IS NOT NULL")).await.is_empty() {
            return Vec::new();
        }
        let rows = self.ask(&format!("SELECT to_jsonb(t)::text FROM {table} t")).await;
        rows.iter().map(|row| serde_json::from_str(row).expect("JSON")).collect()
    }
}

impl Place for Schema {
    type Connector = Postgres;

    fn connector(&self) -> Postgres {
        self.at(&self.url)
    }
}

/// All of them, on the server of a plain loopback address whose user may do everything.
pub async fn scenarios(url: &str) -> Vec<(&'static str, Ends)> {
    let mut ends = all(async |name| Schema::named(url, name)).await;
    ends.push(("a_backend_that_dies_in_a_commit_leaves_nothing", dies_in_a_commit(&Schema::named(url, "dies_in_a_commit")).await));
    for (name, schema, cut) in [
        ("an_answer_lost_behind_a_commit_does_no_harm", "answer_is_lost", Cut::Behind),
        ("a_commit_that_never_arrives_is_made_again", "never_arrives", Cut::Before),
    ] {
        ends.push((name, line_is_cut(&Schema::named(url, schema), cut).await));
    }
    ends.push(("an_idle_connection_that_ended_is_opened_anew", ended_while_idle(&Schema::named(url, "ended_while_idle")).await));
    ends.push(("a_user_may_be_allowed_just_its_own_schema", least_privilege(&Schema::named(url, "least_privilege")).await));
    ends
}

/// What the server says of a certificate: done, or the class of the failure and its cause.
pub async fn connects(url: &str) -> String {
    let links = Links::default();
    let checked = connector(url, "tls").check(&Cx { transport: &Nobody, links: &links, now: Time::ZERO }).await;
    checked.map_or_else(|failure| format!("{}: {}", failure.class(), failure.cause()), |()| "done".to_owned())
}

/// The server ends the backend while it commits: nothing is written, and the same again writes it.
async fn dies_in_a_commit(place: &Schema) -> Ends {
    let connector = place.connector();
    let (first, second) = (feedback(json!({"title": "first"})), feedback(json!({"title": "first"})).changed(json!({"title": "second"})));
    bring(&connector, &[first]).await?;
    let schema = &place.name;
    place
        .run(&format!(
            "CREATE FUNCTION \"{schema}\".die() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); \
             RETURN NULL; END $$; \
             CREATE CONSTRAINT TRIGGER die AFTER INSERT OR UPDATE ON \"{schema}\".feedback DEFERRABLE INITIALLY DEFERRED \
             FOR EACH ROW EXECUTE FUNCTION \"{schema}\".die()"
        ))
        .await;
    let said = bring(&connector, std::slice::from_ref(&second)).await.expect_err("a backend that died");
    // Its last words are not always read before the connection has ended.
    if !said.contains("57P01") && !said.contains("connection closed") {
        return Err(format!("expected that the server ended the connection: {said}"));
    }
    holds("feedback", &only(place, ItemKind::Feedback).await?, &json!({"title": "first"}))?;
    place.run(&format!("DROP TRIGGER die ON \"{schema}\".feedback")).await;
    bring(&connector, &[second]).await?;
    holds("feedback", &only(place, ItemKind::Feedback).await?, &json!({"title": "second"}))
}

/// The line is cut at a commit, before it arrives or when it is done: an unknown outcome, after which the same again does no harm.
async fn line_is_cut(place: &Schema, cut: Cut) -> Ends {
    let given = feedback(json!({"title": "once"}));
    bring(&place.connector(), std::slice::from_ref(&given)).await?;
    let changed = given.changed(json!({"title": "twice"}));
    // The first commit makes sure of the tables.
    let line = Line::to(&place.url, move |commit| (commit == 1).then_some(cut)).await;
    // The steps are idempotent: what is unknown is done again, through the same line.
    bring(&place.at(&line.url), &[changed]).await?;
    holds("feedback", &only(place, ItemKind::Feedback).await?, &json!({"title": "twice"}))?;
    if line.cuts(cut) == 1 { Ok(()) } else { Err("the line was not cut once".to_owned()) }
}

async fn ended_while_idle(place: &Schema) -> Ends {
    let connector = place.connector();
    bring(&connector, &[feedback(json!({"title": "before"}))]).await?;
    let ended = place.ask("SELECT pg_terminate_backend(pid, 5000)::text FROM pg_stat_activity WHERE application_name = 'sleeksync'").await;
    if ended.is_empty() {
        return Err("there was no connection to end".to_owned());
    }
    bring(&connector, &[feedback(json!({"title": "before"})).changed(json!({"title": "after"}))]).await?;
    holds("feedback", &only(place, ItemKind::Feedback).await?, &json!({"title": "after"}))
}

/// A user without any right but to its own schema, which an administrator has made; without it, `check` says so.
async fn least_privilege(place: &Schema) -> Ends {
    place.run("DROP ROLE IF EXISTS copyist; CREATE ROLE copyist LOGIN PASSWORD 'copyist'").await;
    let mut url: Url = place.url.parse().expect("an address");
    let named = url.set_username("copyist").and_then(|()| url.set_password(Some("copyist")));
    named.expect("an address with a user");
    let connector = place.at(url.as_str());
    let links = Links::default();
    let cx = Cx { transport: &Nobody, links: &links, now: Time::ZERO };
    match connector.check(&cx).await {
        Err(failure) if failure.class() == "unauthorized" => {}
        other => return Err(format!("expected to be refused without the schema: {other:?}")),
    }
    place.run(&format!("CREATE SCHEMA \"{0}\" AUTHORIZATION copyist", place.name)).await;
    connector.check(&cx).await.map_err(|failure| format!("with the schema: {}", failure.cause()))?;
    bring(&connector, &[feedback(json!({}))]).await?;
    only(place, ItemKind::Feedback).await.map(drop)
}
