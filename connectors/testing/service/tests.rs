//! The fake service misbehaves as told, and the daemon's client says of each what the table needs.

use std::time::Duration;

use http::Method;
use serde_json::json;

use super::*;
use crate::contract::{Cx, Failure, Response};
use crate::contract::{Links, Transport, TransportError, Unsent};
use crate::kit::http::{ANSWER_BYTES_MAX, Client, ClientOptions, Proxy, Stage, call, json_request, unrefined};

fn client() -> Client {
    Client::new(&ClientOptions { proxy: Proxy::None, timeout: Duration::from_millis(500), ..ClientOptions::default() }).unwrap()
}

async fn counting() -> (Service, Arc<Shelf<Bytes>>) {
    let shelf = Arc::new(Shelf::default());
    let kept = Arc::clone(&shelf);
    let service = Service::start(move |request| {
        let id = kept.put(request.body.clone());
        Reply::json(201, &json!({"id": id}))
    })
    .await;
    (service, shelf)
}

async fn post(service: &Service) -> Result<Response, TransportError> {
    let url = format!("{}/things?key=hunter2", service.url()).parse().unwrap();
    client().send(json_request(Method::POST, url, Some(&json!({"title": "x"})))).await
}

#[tokio::test]
async fn it_answers_and_records() {
    let (service, shelf) = counting().await;
    let answer = post(&service).await.unwrap();
    assert_eq!((answer.status.as_u16(), &answer.body[..]), (201, &b"{\"id\":1}"[..]));
    let [request] = service.received().try_into().unwrap();
    assert_eq!((request.method, request.url.path(), &request.body[..]), (Method::POST, "/things", &b"{\"title\":\"x\"}"[..]));
    assert!(request.headers.get("user-agent").unwrap().to_str().unwrap().starts_with("sleeksync/"));
    assert_eq!(shelf.all().len(), 1);
}

#[tokio::test]
async fn each_fault_is_what_the_client_says_it_is() {
    // The act, whether the service did its work, and whether the client may say so.
    let table = [
        (Act::Drop, 0, Unsent::Unknown),
        (Act::Hang, 0, Unsent::Unknown),
        (Act::CommitThenDrop, 1, Unsent::Unknown),
        (Act::CommitThenCut, 1, Unsent::Unknown),
        (Act::Huge(ANSWER_BYTES_MAX + 1), 0, Unsent::Unknown),
    ];
    for (act, made, unsent) in table {
        let (service, shelf) = counting().await;
        service.script([act.clone()]);
        let error = post(&service).await.unwrap_err();
        assert_eq!((error.unsent, shelf.all().len(), service.received().len()), (unsent, made, 1), "{act:?}");
        let said = error.source.as_str();
        assert!(said.contains("127.0.0.1") && !said.contains("hunter2") && !said.contains("things"), "{act:?}: {said}");
        assert!(post(&service).await.is_ok(), "{act:?}: the script is one request long");
    }
}

#[tokio::test]
async fn what_a_proxy_or_a_polite_service_answers_instead_is_passed_on_and_classified() {
    // An error in a 200 is the connector's to see: its refinement is asked before the table.
    let refine: crate::kit::http::Refine = |response| {
        let json: serde_json::Value = serde_json::from_slice(&response.body).ok()?;
        let source = crate::contract::Cause::new(json.get("error")?.as_str()?);
        Some(Failure::Rejected { source })
    };
    let table = [
        (Act::CommitThen(Reply::html(502, "Bad gateway")), 1, "unknown", "HTTP 502, an HTML page titled \"Bad gateway\""),
        (Act::CommitThen(Reply::html(200, "Sign in")), 1, "unknown", "HTTP 200, an HTML page titled \"Sign in\"; not the service's JSON"),
        (Act::Answer(Reply::html(404, "Lost")), 0, "missing", "HTTP 404, an HTML page titled \"Lost\""),
        (Act::Answer(Reply::json(200, &json!({"ok": false, "error": "no_text"}))), 0, "rejected", "no_text"),
        (Act::Answer(Reply::empty(429).with("retry-after", "7")), 0, "transient", "HTTP 429"),
    ];
    for (act, made, class, said) in table {
        let (service, shelf) = counting().await;
        service.script([act.clone()]);
        let (client, links) = (client(), Links::default());
        let request = json_request(Method::POST, service.url().parse().unwrap(), Some(&json!({"title": "x"})));
        let failure = call(&Cx { transport: &client, links: &links, now: crate::contract::Time::ZERO }, request, Stage::Update, refine)
            .await
            .unwrap_err();
        assert_eq!((failure.class(), failure.cause().as_str(), shelf.all().len()), (class, said, made), "{act:?}");
    }
}

#[tokio::test]
async fn a_connection_that_never_stood_was_certainly_not_sent() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    for url in
        [format!("http://{address}/?key=hunter2"), "http://no-such-host.invalid/?key=hunter2".to_owned(), format!("https://{address}/")]
    {
        let error = client().send(json_request::<()>(Method::GET, url.parse().unwrap(), None)).await.unwrap_err();
        assert_eq!(error.unsent, Unsent::Certainly, "{url}: {}", error.source);
        assert!(!error.source.as_str().contains("hunter2"), "{}", error.source);
    }
}

#[tokio::test]
async fn a_handshake_that_fails_was_certainly_not_sent() {
    let (service, _) = counting().await;
    let url = service.url().replace("http://", "https://");
    let error = client().send(json_request::<()>(Method::GET, url.parse().unwrap(), None)).await.unwrap_err();
    assert_eq!(error.unsent, Unsent::Certainly, "{}", error.source);
    assert!(service.received().is_empty());
}

#[tokio::test]
async fn no_redirect_is_followed_and_no_credential_leaves_with_it() {
    let (elsewhere, _) = counting().await;
    let (service, _) = counting().await;
    service.script([Act::Answer(Reply::redirect(307, &format!("{}/caught?sid=1", elsewhere.url())))]);
    let (client, links) = (client(), Links::default());
    let mut request = json_request::<()>(Method::POST, service.url().parse().unwrap(), None);
    crate::kit::http::authorize(&mut request, "Bearer", &crate::contract::Secret::new("hunter2"));
    let failure = call(&Cx { transport: &client, links: &links, now: crate::contract::Time::ZERO }, request, Stage::Create, unrefined)
        .await
        .unwrap_err();
    assert!(matches!(&failure, Failure::Rejected { source } if source.as_str().contains("/caught;")), "{failure:?}");
    assert!(elsewhere.received().is_empty());
}

#[tokio::test]
async fn what_the_service_quotes_of_our_secrets_is_not_repeated() {
    let service = Service::start(|request| {
        let quoted = request.headers.get("authorization").map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        Reply::json(401, &json!({"message": format!("not accepted: {}", quoted.unwrap_or_default())}))
    })
    .await;
    let (client, links) = (client(), Links::default());
    let mut request = json_request::<()>(Method::GET, service.url().parse().unwrap(), None);
    crate::kit::http::authorize(&mut request, "Bearer", &crate::contract::Secret::new("hunter2hunter2"));
    let failure = call(&Cx { transport: &client, links: &links, now: crate::contract::Time::ZERO }, request, Stage::Check, unrefined)
        .await
        .unwrap_err();
    assert_eq!(failure.cause().as_str(), "HTTP 401: not accepted: [secret]");
}

#[test]
fn a_hidden_object_is_there_but_not_listed() {
    let shelf = Shelf::default();
    shelf.put("old");
    shelf.hide_new(2);
    let id = shelf.put("new");
    assert_eq!(shelf.get(id), Some("new"));
    let listed: Vec<usize> = (0..3).map(|_| shelf.list().len()).collect();
    assert_eq!(listed, [1, 1, 2]);
    assert_eq!(shelf.remove(id), Some("new"));
    assert_eq!((shelf.get(id), shelf.change(id, |_| ()), shelf.list().len()), (None, None, 1));
}
