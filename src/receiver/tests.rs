//! The webhook table, over real sockets.

use std::sync::Mutex;

use sleeksync_connectors::contract::Secret;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;

#[derive(Default)]
struct Kept {
    arrivals: Mutex<Vec<Arrival>>,
    refuse: Mutex<Option<Refused>>,
    /// Nothing is taken while somebody holds it.
    disk: tokio::sync::Mutex<()>,
}

impl Intake for Kept {
    async fn take(&self, arrival: Arrival) -> Result<Receipt, Refused> {
        if let Some(refused) = *self.refuse.lock().unwrap() {
            return Err(refused);
        }
        drop(self.disk.lock().await);
        let mut arrivals = self.arrivals.lock().unwrap();
        let receipt = Receipt::of(&arrival.event.status)(arrivals.len() as u64 + 1);
        arrivals.push(arrival);
        Ok(receipt)
    }

    fn ready(&self) -> Readiness {
        Readiness::Ready
    }

    fn refused(&self) {}
}

struct Running {
    address: std::net::SocketAddr,
    kept: Arc<Kept>,
    supervisor: Supervisor,
}

async fn running(change: impl FnOnce(&mut Settings)) -> Running {
    let mut settings = Settings {
        path: "/webhooks/sleekplan".to_owned(),
        keys: Keys::new(&[Secret::new("k1"), Secret::new("k2")]),
        allow_unauthenticated: false,
        max_body: 1024,
        header_timeout: Duration::from_millis(300),
        body_timeout: Duration::from_millis(300),
        max_connections: 64,
        capture_dir: None,
    };
    change(&mut settings);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (kept, supervisor) = (Arc::new(Kept::default()), Supervisor::new());
    listen(
        listener,
        settings,
        Arc::clone(&kept),
        Arc::new(Products::new(&[], crate::journal::FirstProduct::default())),
        Clock::system(),
        &supervisor,
    );
    Running { address, kept, supervisor }
}

impl Running {
    /// Sends raw bytes and reads until the peer closes or nothing more comes.
    async fn raw(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let mut buffer = [0; 4096];
        while let Ok(Ok(read)) = tokio::time::timeout(Duration::from_secs(3), stream.read(&mut buffer)).await {
            answer.extend_from_slice(&buffer[..read]);
            if read == 0 || complete(&answer) {
                break;
            }
        }
        String::from_utf8(answer).unwrap()
    }

    async fn post(&self, target: &str, headers: &str, body: &str) -> String {
        self.raw(&format!("POST {target} HTTP/1.1\r\nHost: x\r\n{headers}Content-Length: {}\r\n\r\n{body}", body.len())).await
    }

    fn count(&self) -> usize {
        self.kept.arrivals.lock().unwrap().len()
    }
}

fn complete(answer: &[u8]) -> bool {
    let text = String::from_utf8_lossy(answer);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length =
        head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ").map(|length| length.parse::<usize>().unwrap()));
    length.is_some_and(|length| body.len() >= length)
}

const HOOK: &str = "/webhooks/sleekplan?key=k2";
const EVENT: &str = r#"{"product_id":5456534244,"action":"item.create","data":{"feedback_id":"3"},"timestamp":"1506985999999"}"#;

#[tokio::test]
async fn the_table_of_answers_holds() {
    let receiver = running(|_| ()).await;
    let table = [
        (receiver.post(HOOK, "", EVENT).await, "200", r#"{"status":"accepted","seq":1}"#),
        (receiver.post("/webhooks/sleekplan", "X-Secret: k1\r\n", EVENT).await, "200", r#"{"status":"accepted","seq":2}"#),
        (receiver.post(HOOK, "", "{}").await, "200", r#"{"status":"unrecognised","seq":3}"#),
        (receiver.post(HOOK, "", "not json").await, "400", "not_json"),
        (receiver.post("/webhooks/sleekplan?key=wrong", "", EVENT).await, "401", "unauthorized"),
        (receiver.post("/webhooks/sleekplan", "", EVENT).await, "401", "unauthorized"),
        (receiver.post("/elsewhere?key=k2", "", EVENT).await, "404", "not_found"),
        (receiver.raw(&format!("PUT {HOOK} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")).await, "405", "allow: POST"),
        (receiver.post(HOOK, "", &"x".repeat(1025)).await, "413", "too_large"),
        (receiver.raw("GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n").await, "200", r#"{"status":"ok"}"#),
        (receiver.raw("GET /health/ready HTTP/1.1\r\nHost: x\r\n\r\n").await, "200", r#"{"status":"ok"}"#),
    ];
    for (answer, status, part) in table {
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")) && answer.contains(part), "{status} {part}: {answer}");
    }
    assert_eq!(receiver.count(), 4);
}

#[tokio::test]
async fn a_header_more_or_a_strange_one_costs_no_event() {
    let receiver = running(|_| ()).await;
    let table = [
        receiver.post("/webhooks/sleekplan", "X-Secret: old\r\nX-Secret: k1\r\n", EVENT).await,
        receiver.post(HOOK, "X-Secret: schl\u{fc}ssel\r\nExpect: \u{e9}\r\n", EVENT).await,
    ];
    for answer in table {
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
}

#[tokio::test]
async fn a_body_in_chunks_is_taken_and_capped() {
    let receiver = running(|_| ()).await;
    let chunked = |body: &str| {
        format!("POST {HOOK} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n", body.len())
    };
    assert!(receiver.raw(&chunked(EVENT)).await.starts_with("HTTP/1.1 200"));
    assert!(receiver.raw(&chunked(&"y".repeat(2000))).await.starts_with("HTTP/1.1 413"));
}

#[tokio::test]
async fn who_does_not_know_the_key_is_answered_before_the_body() {
    let receiver = running(|_| ()).await;
    let answer = receiver.raw("POST /webhooks/sleekplan?key=nope HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    assert_eq!(receiver.count(), 0);
}

#[tokio::test]
async fn slow_headers_and_slow_bodies_are_cut_off() {
    let receiver = running(|_| ()).await;
    let half_head = receiver.raw("POST /webhooks/sleek").await;
    assert!(half_head.is_empty() || half_head.starts_with("HTTP/1.1 408"), "{half_head}");
    let half_body = receiver.raw(&format!("POST {HOOK} HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\n{{")).await;
    assert!(half_body.starts_with("HTTP/1.1 408"), "{half_body}");
}

#[tokio::test]
async fn a_connection_that_says_nothing_is_closed_before_and_after_a_request() {
    let receiver = running(|_| ()).await;
    let mut silent = TcpStream::connect(receiver.address).await.unwrap();
    let end = tokio::time::timeout(Duration::from_secs(5), silent.read(&mut [0; 16])).await;
    assert_eq!(end.expect("it is kept open").unwrap(), 0);
    let mut idle = TcpStream::connect(receiver.address).await.unwrap();
    idle.write_all(b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    tokio::time::timeout(Duration::from_secs(5), idle.read_to_end(&mut answer)).await.expect("it is kept open").unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 200"));
}

#[tokio::test]
async fn connections_beyond_the_cap_wait_until_one_of_the_others_is_closed() {
    let receiver = running(|settings| settings.max_connections = 2).await;
    let silent = [TcpStream::connect(receiver.address).await.unwrap(), TcpStream::connect(receiver.address).await.unwrap()];
    let mut third = TcpStream::connect(receiver.address).await.unwrap();
    third.write_all(b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let early = tokio::time::timeout(Duration::from_millis(100), third.read(&mut [0; 16])).await;
    assert!(early.is_err(), "the cap does not hold");
    assert!(third.read(&mut [0; 16]).await.unwrap() > 0);
    drop(silent);
}

#[tokio::test]
async fn who_sends_too_much_in_chunks_can_read_why_it_is_refused() {
    let receiver = running(|settings| settings.body_timeout = Duration::from_secs(5)).await;
    let chunk = format!("10000\r\n{}\r\n", "z".repeat(0x10000));
    let body = chunk.repeat(100);
    let answer = receiver.raw(&format!("POST {HOOK} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n{body}0\r\n\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 413") && answer.contains("too_large"), "{answer}");
}

#[tokio::test]
async fn what_cannot_be_kept_is_refused_with_a_time_to_come_again() {
    let receiver = running(|_| ()).await;
    for refused in [Refused::ShuttingDown, Refused::NoRoom, Refused::Busy, Refused::Failed] {
        *receiver.kept.refuse.lock().unwrap() = Some(refused);
        let answer = receiver.post(HOOK, "", EVENT).await;
        assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("retry-after: 5"), "{answer}");
    }
}

#[tokio::test]
async fn captured_bodies_are_written_as_they_came() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("captures");
    let receiver = running(|settings| settings.capture_dir = Some(path.clone())).await;
    receiver.post(HOOK, "", EVENT).await;
    let file = std::fs::read_dir(&path).unwrap().next().unwrap().unwrap();
    assert_eq!(std::fs::read_to_string(file.path()).unwrap(), EVENT);
}

#[tokio::test]
async fn shutdown_lets_an_open_request_end_and_takes_no_other() {
    let receiver = running(|_| ()).await;
    assert!(receiver.post(HOOK, "", EVENT).await.starts_with("HTTP/1.1 200"));
    assert!(receiver.supervisor.shut_down(Duration::from_secs(5)).await);
    assert!(TcpStream::connect(receiver.address).await.is_err());
}

#[tokio::test]
async fn a_product_that_is_not_configured_is_kept_as_unrecognised() {
    let receiver = running(|_| ()).await;
    receiver.post(HOOK, "", EVENT).await;
    let arrivals = receiver.kept.arrivals.lock().unwrap();
    assert!(arrivals[0].event.item.as_ref().is_some_and(|item| item.to_string() == "feedback/3"));
    assert_eq!(arrivals[0].event.at.as_ms(), 1_506_985_999_999);
}

#[tokio::test]
async fn keys_are_replaced_while_it_listens() {
    let keys = Keys::new(&[Secret::new("old")]);
    let handed = keys.clone();
    let receiver = running(|settings| settings.keys = handed).await;
    keys.replace(&[Secret::new("new")]);
    assert!(receiver.post("/webhooks/sleekplan?key=old", "", EVENT).await.starts_with("HTTP/1.1 401"));
    assert!(receiver.post("/webhooks/sleekplan?key=new", "", EVENT).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_and_takes_no_answer_is_cut_off() {
    const ASKED: &[u8] = b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n";
    let receiver = running(|_| {}).await;
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    // Small, so that it is soon full of what nobody reads.
    socket.set_recv_buffer_size(4096).unwrap();
    let mut stream = socket.connect(receiver.address).await.unwrap();
    let asked = async {
        let many = ASKED.repeat(1000);
        while stream.write_all(&many).await.is_ok() {}
    };
    tokio::time::timeout(Duration::from_secs(60), asked).await.expect("the connection stays open");
}

#[tokio::test]
async fn who_closes_its_side_after_the_request_is_answered() {
    let receiver = running(|_| ()).await;
    let busy = receiver.kept.disk.lock().await;
    let mut stream = TcpStream::connect(receiver.address).await.unwrap();
    let request = format!("POST {HOOK} HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{EVENT}", EVENT.len());
    stream.write_all(request.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    let closed = tokio::time::timeout(Duration::from_millis(300), stream.read(&mut [0])).await;
    assert!(closed.is_err(), "it is cut off while its event is being synced");
    drop(busy);
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
}
