//! The accept loop over real connections: slow clients, greedy ones, and such as never read.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use kehu::router;
use kehu::web::pace::Pace;
use kehu::web::serve::{Limits, serve};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use crate::{TestApp, both};

async fn start(app: &TestApp, limits: Limits) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(serve(listener, router::build(&app.app), limits, std::future::pending()));
    address
}

fn log_in_of(length: usize) -> String {
    format!(
        "POST /login HTTP/1.1\r\nHost: kehu\r\nOrigin: http://kehu\r\nSec-Fetch-Site: same-origin\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n"
    )
}

/// Sends a head and a body piece by piece; answers what came back until the server closed, and when.
async fn sends(
    address: SocketAddr,
    head: String,
    piece: usize,
    pieces: usize,
    pause: Duration,
) -> (String, Duration) {
    let began = Instant::now();
    let stream = TcpStream::connect(address).await.unwrap();
    let (mut read, mut write) = stream.into_split();
    let sending = tokio::spawn(async move {
        write.write_all(head.as_bytes()).await?;
        for _ in 0..pieces {
            write.write_all(&vec![b'a'; piece]).await?;
            tokio::time::sleep(pause).await;
        }
        // Stays open until the other side has had enough.
        std::future::pending::<std::io::Result<()>>().await
    });
    let mut answer = vec![0; 64 << 10];
    let mut length = 0;
    while !answer[..length].windows(4).any(|w| w == b"\r\n\r\n") {
        match tokio::time::timeout(Duration::from_secs(60), read.read(&mut answer[length..])).await {
            Ok(Ok(n)) if n > 0 => length += n,
            Ok(_) => break,
            Err(_) => panic!("no answer"),
        }
    }
    sending.abort();
    (String::from_utf8_lossy(&answer[..length]).into_owned(), began.elapsed())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_stops_or_drips_is_given_up_and_a_slow_steady_one_is_taken() {
    both(|app| async move {
        let pace =
            Pace { idle: Duration::from_secs(2), allowance: Duration::from_secs(3), bytes_a_second: 1_000 };
        let address = start(&app, Limits { pace, ..Limits::behind(&[]) }).await;
        let token = app.administrator().await.with_token().await.secret().to_owned();
        let json = format!(
            "POST /api/v1/customers HTTP/1.1\r\nHost: kehu\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\nContent-Length: 500\r\n\r\n"
        );
        let pause = Duration::from_millis(100);
        let (silent, dripping, steady) = tokio::join!(
            sends(address, json, 0, 0, pause),
            sends(address, log_in_of(100_000), 1, 100_000, pause),
            sends(address, log_in_of(20_000), 400, 50, pause),
        );
        assert!(
            silent.0.starts_with("HTTP/1.1 408") && silent.0.contains("application/problem+json"),
            "{}",
            silent.0
        );
        assert!(silent.1 >= pace.idle, "{:?}", silent.1);
        assert!(dripping.0.starts_with("HTTP/1.1 408"), "{}", dripping.0);
        assert!(dripping.1 > pace.idle, "{:?}", dripping.1);
        // It took longer than the allowance, but kept its pace; the log-in itself is a wrong one.
        assert!(steady.0.starts_with("HTTP/1.1 422"), "{}", steady.0);
        assert!(steady.1 > pace.allowance, "{:?}", steady.1);
        assert_eq!(app.number("SELECT COUNT(*) FROM customers").await, 0);
    })
    .await;
}

/// Whether a new connection is served; it stays open when it is handed back.
async fn is_served(address: SocketAddr) -> Option<TcpStream> {
    let mut stream = TcpStream::connect(address).await.ok()?;
    stream.write_all(b"GET /livez HTTP/1.1\r\nHost: kehu\r\n\r\n").await.ok()?;
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await.ok()?;
    (&answer == b"HTTP/1.1 200").then_some(stream)
}

#[tokio::test(flavor = "multi_thread")]
async fn one_address_holds_only_so_many_connections_and_a_proxy_as_many_as_it_likes() {
    both(|app| async move {
        let limits = Limits { per_address: 3, uncounted: Vec::new(), ..Limits::behind(&[]) };
        let address = start(&app, limits.clone()).await;
        let mut held = Vec::new();
        for _ in 0..3 {
            held.push(is_served(address).await.expect("within the limit"));
        }
        assert!(is_served(address).await.is_none());
        held.pop();
        let mut again = None;
        for _ in 0..200 {
            again = is_served(address).await;
            if again.is_some() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert!(again.is_some(), "a connection that ended still counts");
        let address = start(&app, Limits { uncounted: Limits::behind(&[]).uncounted, ..limits }).await;
        for _ in 0..5 {
            held.push(is_served(address).await.expect("a proxy is not counted"));
        }
    })
    .await;
}

/// Asks for a file over a connection with a small buffer.
async fn asks_for(address: SocketAddr, path: &str, token: &str) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(16 << 10).unwrap();
    let mut stream = socket.connect(address).await.unwrap();
    let head = format!("GET {path} HTTP/1.1\r\nHost: kehu\r\nAuthorization: Bearer {token}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

#[tokio::test(flavor = "multi_thread")]
async fn a_download_nobody_reads_is_cut_and_a_slowly_read_one_arrives() {
    // More than what the kernel keeps for a client that does not read.
    const SIZE: usize = 16 << 20;
    both(|app| async move {
        let limits = Limits { unread: Duration::from_secs(1), ..Limits::behind(&[]) };
        let address = start(&app, limits).await;
        let boss = app.administrator().await.with_token().await;
        let customer = boss.customer(serde_json::json!({ "kind": "organisation", "name": "天江" })).await;
        let id = customer["id"].as_str().unwrap();
        let made = boss.upload("/api/v1/files", &[("customer_id", id)], "录像.bin", &vec![7; SIZE]).await;
        let made = made.expect(201).json();
        let path = format!("/api/v1/files/{}/content", made["id"].as_str().unwrap());
        let mut silent = asks_for(address, &path, boss.secret()).await;
        let mut slow = asks_for(address, &path, boss.secret()).await;
        let mut piece = vec![0; 1 << 20];
        // Six pauses of half the limit each: three times the limit in all.
        for n in 0..SIZE / piece.len() {
            slow.read_exact(&mut piece).await.expect("the slow reader is served to the end");
            if n < 6 {
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
        }
        // What the kernel had taken still comes, then the end.
        let mut got = 0;
        while let Ok(n) = silent.read(&mut piece).await {
            got += n;
            if n == 0 {
                break;
            }
        }
        assert!(got < SIZE, "the connection was not cut: {got} bytes came");
    })
    .await;
}
