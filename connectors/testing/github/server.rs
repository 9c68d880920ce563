//! The fake GitHub behind a socket: for whatever is to survive, or to be asked by, another process.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::{Method, StatusCode};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::{Asked, FakeGitHub, Fault, Told, record};

/// The longest request that is read.
const REQUEST_BYTES_MAX: usize = 4 << 20;

/// Answers until the listener fails.
///
/// # Errors
/// The listener fails.
pub async fn serve(listener: TcpListener, fake: FakeGitHub) -> std::io::Result<()> {
    let fake = Arc::new(Mutex::new(fake));
    let origin = format!("http://{}", listener.local_addr()?);
    let mut connections = futures_util::stream::FuturesUnordered::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let (stream, _) = accepted?;
                connections.push(converse(stream, Arc::clone(&fake), origin.clone()));
            }
            // A connection that broke is nobody's business.
            Some(_) = futures_util::StreamExt::next(&mut connections), if !connections.is_empty() => {}
        }
    }
}

/// Requests of one connection, until it is dropped: by the peer, or because an answer is to be lost.
async fn converse(mut stream: TcpStream, fake: Arc<Mutex<FakeGitHub>>, origin: String) -> std::io::Result<()> {
    let mut pending = Vec::new();
    while let Some(asked) = read(&mut stream, &mut pending, &origin).await? {
        let told = {
            let mut fake = fake.lock().unwrap_or_else(PoisonError::into_inner);
            if asked.path.starts_with("/_fake/") { Some(control(&mut fake, &asked)) } else { fake.answer(&asked) }
        };
        let Some(told) = told else { return Ok(()) };
        stream.write_all(&written(&told)).await?;
    }
    Ok(())
}

fn control(fake: &mut FakeGitHub, asked: &Asked) -> Told {
    if asked.path == "/_fake/faults" {
        fake.faults = serde_json::from_value::<Vec<Fault>>(asked.body.clone()).unwrap_or_default();
    }
    if let Some(issue) = asked.path.strip_prefix("/_fake/issues/").and_then(|number| fake.issues.get_mut(&number.parse().ok()?)) {
        issue.locked = asked.body.get("locked").and_then(Value::as_bool).unwrap_or(issue.locked);
        issue.gone = asked.body.get("gone").and_then(|gone| serde_json::from_value(gone.clone()).ok());
    }
    Told { status: StatusCode::OK, headers: Vec::new(), content_type: "application/json", body: fake.report().to_string() }
}

/// Reads one request; `None` at the end of the connection.
async fn read(stream: &mut TcpStream, pending: &mut Vec<u8>, origin: &str) -> std::io::Result<Option<Asked>> {
    loop {
        if let Some((asked, used)) = parse(pending, origin) {
            pending.drain(..used);
            return Ok(Some(asked));
        }
        let mut buffer = [0; 16 << 10];
        let read = stream.read(&mut buffer).await?;
        if read == 0 || pending.len() > REQUEST_BYTES_MAX {
            return Ok(None);
        }
        pending.extend_from_slice(buffer.get(..read).unwrap_or_default());
    }
}

/// A whole request with a declared length, as the client sends it.
fn parse(bytes: &[u8], origin: &str) -> Option<(Asked, usize)> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(bytes.get(..end)?).into_owned();
    let mut lines = head.lines();
    let mut words = lines.next()?.split(' ');
    let (method, target) = (words.next()?, words.next()?);
    let headers: Vec<(&str, &str)> = lines.filter_map(|line| line.split_once(':')).collect();
    let length = headers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .and_then(|(_, value)| value.trim().parse::<usize>().ok())
        .unwrap_or(0);
    let body = bytes.get(end + 4..end + 4 + length)?;
    if !target.starts_with("/_fake/") {
        record::note(method, &format!("{origin}{target}"), headers.iter().copied(), body);
    }
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let query: BTreeMap<String, String> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let asked = Asked {
        method: Method::from_bytes(method.as_bytes()).ok()?,
        origin: origin.to_owned(),
        path: path.to_owned(),
        query,
        body: serde_json::from_slice(body).unwrap_or_default(),
    };
    Some((asked, end + 4 + length))
}

fn written(told: &Told) -> Bytes {
    let reason = told.status.canonical_reason().unwrap_or_default();
    let mut text = format!(
        "HTTP/1.1 {} {reason}\r\ncontent-type: {}\r\ncontent-length: {}\r\n",
        told.status.as_u16(),
        told.content_type,
        told.body.len()
    );
    for (name, value) in &told.headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str("\r\n");
    text.push_str(&told.body);
    text.into()
}
