//! The scenarios of every database against a real PostgreSQL server, and those of a connection that is lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Map, Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_postgres::NoTls;
use url::Url;

use super::database::{Ends, Place, all, bring, holds, only};
use super::items::feedback;
use crate::contract::{Connector, Cx, ItemKind, Links, Secret, Time};
use crate::postgres::{Postgres, Settings};
use crate::testing::Nobody;

/// A schema of its own on a server.
struct Schema {
    url: String,
    name: String,
}

impl Schema {
    fn named(url: &str, name: &str) -> Self {
        Self { url: url.to_owned(), name: name.to_owned() }
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

impl Place for Schema {
    type Connector = Postgres;

    fn connector(&self) -> Postgres {
        self.at(&self.url)
    }

    async fn rows(&self, name: &str) -> Vec<Map<String, Value>> {
        let rows = self.ask(&format!("SELECT to_jsonb(t)::text FROM \"{}\".\"{name}\" t", self.name)).await;
        rows.iter().map(|row| serde_json::from_str(row).expect("JSON")).collect()
    }
}

/// All of them, on the server of a plain loopback address whose user may do everything.
pub async fn scenarios(url: &str) -> Vec<(&'static str, Ends)> {
    let mut ends = all(async |name| Schema::named(url, name)).await;
    ends.push(("a_backend_that_dies_in_a_commit_leaves_nothing", dies_in_a_commit(&Schema::named(url, "dies_in_a_commit")).await));
    ends.push(("an_answer_lost_behind_a_commit_does_no_harm", answer_is_lost(&Schema::named(url, "answer_is_lost")).await));
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

/// The commit is done, and its answer never arrives: an unknown outcome, after which the same again does no harm.
async fn answer_is_lost(place: &Schema) -> Ends {
    let given = feedback(json!({"title": "once"}));
    bring(&place.connector(), std::slice::from_ref(&given)).await?;
    let changed = given.changed(json!({"title": "twice"}));
    let (address, cuts) = swallowing_proxy(&place.url).await;
    let connector = place.at(&address);
    // The steps are idempotent: what is unknown is done again, through the same proxy.
    bring(&connector, &[changed]).await?;
    holds("feedback", &only(place, ItemKind::Feedback).await?, &json!({"title": "twice"}))?;
    if cuts.load(Ordering::SeqCst) == 1 { Ok(()) } else { Err("the answer was not lost once".to_owned()) }
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

/// The address of a server that loses the answer to the second COMMIT it sees: the first one makes the tables.
#[expect(clippy::disallowed_methods, reason = "the proxy runs beside the scenario that uses it, and ends with it")]
async fn swallowing_proxy(url: &str) -> (String, Arc<AtomicUsize>) {
    let mut address: Url = url.parse().expect("an address");
    let server = format!("{}:{}", address.host_str().expect("a host"), address.port().expect("a port"));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    address.set_port(Some(listener.local_addr().expect("an address").port())).expect("an address with a port");
    let (commits, cuts) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&cuts);
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let upstream = TcpStream::connect(&server).await.expect("the server");
            tokio::spawn(forward(client, upstream, Arc::clone(&commits), Arc::clone(&cuts)));
        }
    });
    (address.to_string(), counted)
}

async fn forward(mut client: TcpStream, mut server: TcpStream, commits: Arc<AtomicUsize>, cuts: Arc<AtomicUsize>) {
    let (mut up, mut down) = (vec![0; 65_536], vec![0; 65_536]);
    loop {
        tokio::select! {
            read = client.read(&mut up) => {
                let Some(bytes) = read.ok().and_then(|count| up.get(..count)).filter(|bytes| !bytes.is_empty()) else { return };
                server.write_all(bytes).await.expect("the server takes it");
                let is_commit = bytes.windows(6).any(|word| word == b"COMMIT");
                if is_commit && commits.fetch_add(1, Ordering::SeqCst) == 1 {
                    // The server has done it when it answers.
                    let answered = server.read(&mut down).await.expect("an answer");
                    assert!(answered > 0, "the server commits");
                    cuts.fetch_add(1, Ordering::SeqCst);
                    return;
                }
            }
            read = server.read(&mut down) => {
                let Some(bytes) = read.ok().and_then(|count| down.get(..count)).filter(|bytes| !bytes.is_empty()) else { return };
                if client.write_all(bytes).await.is_err() {
                    return;
                }
            }
        }
    }
}
