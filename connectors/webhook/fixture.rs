//! The suite's view of `webhook`: a receiver that keeps what it is told, and everything the connector can do.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::Webhook;
use crate::contract::{Action, RemoteKey, Request};
use crate::testing::conformance::{Fake, Fixture, Hostile, Rule, conformance};
use crate::testing::service::{Reply, Service};
use crate::testing::{Case, comment, entry, feedback, subscriber, user};

conformance!(Webhook, WebhookFixture);

struct WebhookFixture;

/// A running receiver.
struct Receiver(Service);

impl Fixture for WebhookFixture {
    type Connector = Webhook;
    type Fake = Receiver;

    async fn start(&self) -> Receiver {
        Receiver(Service::start(|_| Reply::empty(204)).await)
    }

    fn cases(&self) -> Vec<Case> {
        let post = feedback(json!({}));
        let said = comment(&post, json!({}));
        vec![
            Case::new("item create", post.clone().announcing(Action::ItemCreate)),
            Case::after(
                "item update",
                [post.clone().announcing(Action::ItemCreate)],
                post.clone().changed(json!({"status": "done"})).announcing(Action::ItemUpdate),
            ),
            Case::new("item delete", post.deleted().announcing(Action::ItemDelete)),
            Case::new("comment create", said.announcing(Action::CommentCreate)),
            Case::new("changelog create", entry(json!({})).announcing(Action::ChangelogCreate)),
            Case::new("user update", user(json!({})).announcing(Action::UserUpdate)),
            Case::new("changelog subscribe", subscriber(json!({})).announcing(Action::ChangelogSubscribe)),
        ]
    }

    fn goldens(&self) -> &'static str {
        "webhook/goldens"
    }

    fn exempt(&self) -> &'static [(Rule, &'static str)] {
        &[
            (Rule::LostAnswer, "no step has a key: the receiver tells repeats by webhook-id, and is simply told again"),
            (Rule::LookUp, "a receiver cannot be asked what it has received"),
            (
                Rule::Statuses,
                "any 2xx is a success whatever its body, and a check asks for no more than to be there: tests.rs has the table",
            ),
            (Rule::Hostile, "a text is data here, sent as it came: tests.rs shows that it arrives so, and nowhere but in the JSON"),
        ]
    }
}

impl Fake for Receiver {
    fn settings(&self, canary: &str) -> Value {
        json!({
            "url": format!("{}/hook/", self.0.url()),
            "secret": format!("whsec_{}", STANDARD.encode(canary)),
            "headers": {"authorization": format!("Bearer {canary}")},
        })
    }

    fn objects(&self, _: &RemoteKey) -> usize {
        // An event is what its receiver takes for one: what came with the newest body, by its ids.
        let received = self.0.received();
        let newest = received.last().map(|request| request.body.clone()).unwrap_or_default();
        let of_it = received.iter().filter(|request| request.body == newest);
        of_it.filter_map(|request| request.headers.get("webhook-id").cloned()).collect::<BTreeSet<_>>().len()
    }

    fn check(&self, _: &Hostile, _: &[Request]) -> Result<(), String> {
        Ok(())
    }
}
