//! Clients that post as fast as they are answered, each over one connection that stays open.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Every event ever posted is about another item.
static POSTED: AtomicU64 = AtomicU64::new(0);

/// Until when to post.
#[derive(Clone, Copy)]
pub enum Until {
    /// For so long.
    Elapsed(Duration),
    /// So many events.
    Posted(u64),
}

/// What came of it.
pub struct Rate {
    pub accepted: u64,
    pub elapsed: Duration,
}

impl Rate {
    pub fn per_second(&self) -> f64 {
        self.accepted as f64 / self.elapsed.as_secs_f64()
    }
}

/// Posts over `connections` connections. Every answer must be a 200.
pub fn post(address: SocketAddr, connections: u64, until: Until) -> Rate {
    // As many threads as the machine has: the servers are measured with the same ones.
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (started, first) = (Instant::now(), POSTED.load(Ordering::Relaxed));
        let mut clients = tokio::task::JoinSet::new();
        for _ in 0..connections {
            clients.spawn(client(address, started, first, until));
        }
        let accepted = clients.join_all().await.into_iter().sum();
        Rate { accepted, elapsed: started.elapsed() }
    })
}

async fn client(address: SocketAddr, started: Instant, first: u64, until: Until) -> u64 {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let (mut accepted, mut buffer) = (0, vec![0; 4096]);
    loop {
        let number = POSTED.fetch_add(1, Ordering::Relaxed);
        let over = match until {
            Until::Elapsed(limit) => started.elapsed() >= limit,
            Until::Posted(count) => number >= first + count,
        };
        if over {
            return accepted;
        }
        stream.write_all(&request(number)).await.unwrap();
        let mut read = 0;
        while !complete(&buffer[..read]) {
            let more = stream.read(&mut buffer[read..]).await.unwrap();
            assert!(more > 0, "the connection was closed");
            read += more;
        }
        assert!(buffer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&buffer[..read]));
        accepted += 1;
    }
}

fn request(number: u64) -> Vec<u8> {
    // The vendor's sample body, "Webhooks" in Sleekplan's documentation, about another post a millisecond later each time.
    let timestamp = 1_506_985_999_999 + number;
    let body = format!(
        r#"{{"product_id":5456534244,"action":"item.create","data":{{"feedback_id":"{number}","product_id":"1","title":"Show/search for similar ideas as you type","description":"This can help us avoid users posting duplicate ideas","status":"open","trend":"0","type":"user-interface","total_up":"9","total_down":"0","total_sum":"9","total_comments":"0","total_ratio":"9","total_subscriber":"1","scoring":"0.55","effort":"1","created":"2020-05-22 16:49:00","updated":"2020-05-22 16:49:00","user":{{"user_id":"4","admin_id":0,"data_name":"lennishq","data_mail":"","data_img":"https://storage.sleekplan.com/..."}}}},"timestamp":"{timestamp}"}}"#
    );
    let head = "POST /webhooks/sleekplan?key=k HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n";
    format!("{head}content-length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

fn complete(answer: &[u8]) -> bool {
    let Some(end) = answer.windows(4).position(|window| window == b"\r\n\r\n") else { return false };
    let head = String::from_utf8_lossy(&answer[..end]).to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.trim().parse::<usize>().ok()).unwrap();
    answer.len() >= end + 4 + length
}
