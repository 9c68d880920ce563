//! The connector against files of its own.

use rusqlite::Connection;
use serde_json::json;

use super::*;
use crate::testing::database::{self as suite, Place};
use crate::testing::sqlite::File as Here;
use crate::testing::{Engine, Nobody, feedback};

macro_rules! scenarios {
    ($($name:ident)*) => { $(
        #[tokio::test]
        async fn $name() {
            if let Err(how) = suite::$name(&Here::fresh()).await {
                panic!("{how}");
            }
        }
    )* };
}

scenarios! {
    every_kind_has_its_row
    the_newest_state_wins
    odd_values_survive
    a_deleted_person_stands_nowhere
    the_views_answer
    many_at_once_are_written
    nothing_is_written_without_news
}

async fn put(connector: &Sqlite, title: &str) -> Result<(), Failure> {
    let given = feedback(json!({"title": title}));
    let (product, key) = (crate::testing::product(), crate::testing::key_of(&Connector::scope(connector), &given.item.id));
    let change = Change { item: &given.item, parent: None, event: None, product: &product, key: &key, at: given.at, is_history: false };
    let mut links = Links::default();
    let plan = Connector::plan(connector, &change, &links).unwrap();
    Engine::new(connector, &Nobody, given.at).run(plan, &mut links).await.map(drop)
}

fn class(said: Result<(), Failure>) -> &'static str {
    said.map_or_else(|failure| failure.class(), |()| "done")
}

async fn checked(connector: &Sqlite) -> &'static str {
    let links = Links::default();
    class(Connector::check(connector, &Cx { transport: &Nobody, links: &links, now: Time::ZERO }).await)
}

#[tokio::test]
async fn a_database_of_somebody_else_is_left_alone_and_one_of_a_newer_release_too() {
    let here = Here::fresh();
    Connection::open(here.path()).unwrap().execute_batch("CREATE TABLE users (name TEXT); INSERT INTO users VALUES ('ann')").unwrap();
    assert_eq!(class(put(&here.connector(), "x").await), "unauthorized");
    assert_eq!(here.ask("SELECT name FROM sqlite_schema ORDER BY 1").len(), 1, "nothing was made beside it");
    let here = Here::fresh();
    let connector = here.connector();
    put(&connector, "x").await.unwrap();
    Connection::open(here.path()).unwrap().execute_batch("UPDATE sleeksync_schema SET version = 2").unwrap();
    assert_eq!((class(put(&here.connector(), "y").await), checked(&connector).await), ("unauthorized", "unauthorized"));
    assert_eq!(here.ask("SELECT title FROM feedback")[0]["title"], json!("x"));
}

#[tokio::test]
async fn what_somebody_else_holds_passes_and_what_is_no_database_does_not() {
    let here = Here::fresh();
    let connector = here.connector();
    assert_eq!(checked(&connector).await, "done", "there is a folder for it");
    assert!(!here.path().exists(), "looking makes nothing");
    put(&connector, "x").await.unwrap();
    let other = Connection::open(here.path()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert_eq!(class(put(&connector, "y").await), "transient");
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!((class(put(&connector, "y").await), checked(&connector).await), ("done", "done"));
    let here = Here::fresh();
    std::fs::write(here.path(), "a letter to a friend, which is longer than the header of a database would be, and then some more words")
        .unwrap();
    assert_eq!((class(put(&here.connector(), "x").await), checked(&here.connector()).await), ("unauthorized", "unauthorized"));
    let nowhere = Sqlite::new(Settings { path: here.path().join("no/such/folder.db") }).unwrap();
    assert_eq!((class(put(&nowhere, "x").await), checked(&nowhere).await), ("unauthorized", "unauthorized"));
}

#[tokio::test]
async fn a_file_that_was_taken_away_or_replaced_is_opened_anew() {
    let here = Here::fresh();
    let connector = here.connector();
    put(&connector, "x").await.unwrap();
    for ending in ["", "-wal", "-shm"] {
        drop(std::fs::remove_file(format!("{}{ending}", here.path().display())));
    }
    put(&connector, "y").await.unwrap();
    assert_eq!(here.ask("SELECT title FROM feedback")[0]["title"], json!("y"));
}

#[tokio::test]
async fn others_may_read_while_it_is_written_and_what_is_written_is_synced() {
    let here = Here::fresh();
    let connector = here.connector();
    put(&connector, "x").await.unwrap();
    let reader = Connection::open(here.path()).unwrap();
    reader.execute_batch("BEGIN; SELECT count(*) FROM feedback").unwrap();
    put(&connector, "y").await.unwrap();
    assert_eq!(here.ask("PRAGMA journal_mode")[0]["journal_mode"], json!("wal"));
}

#[test]
fn a_path_that_is_no_file_is_refused() {
    for path in ["", "  ", "data/"] {
        assert!(Sqlite::new(Settings { path: path.into() }).is_err(), "{path:?}");
    }
}
