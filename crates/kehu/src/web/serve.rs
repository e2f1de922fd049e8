//! The accept loop: HTTP/1.1 with time limits on headers, bodies and answers nobody reads, bounded connections, and an end that waits for
//! requests under way. (`axum::serve` has no header timeout.)

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_io_timeout::TimeoutStream;
use tower::Service;

use super::pace::{Pace, Paced, TooSlow};
use crate::auth::household;

/// Connections at the most; further ones wait in the kernel's queue.
const CONNECTIONS: usize = 12_000;
/// Connections of one address at the most; further ones are closed at once. An office may stand behind one address.
const PER_ADDRESS: usize = 1_000;
/// How long a client may take to send its request's headers.
const HEADERS: Duration = Duration::from_secs(10);
/// How long requests under way may take after the order to stop.
const GRACE: Duration = Duration::from_secs(8);

/// How long a client may take nothing of an answer that is ready for it.
const UNREAD: Duration = Duration::from_secs(15);
/// Bytes of an answer the kernel holds for a client (it keeps twice as much room). It tells that there is room again
/// when a third is free, so that who takes 12 kB a second is never taken for one who takes nothing; left to itself it
/// would hold megabytes for each.
const HELD: usize = 256 << 10;

/// What clients are held to.
#[derive(Clone, Debug)]
pub struct Limits {
    /// How slowly bodies may come.
    pub pace: Pace,
    /// How long a client may take nothing of an answer; then its connection is cut, whatever is left of a download.
    pub unread: Duration,
    /// Connections of one address at the most.
    pub per_address: usize,
    /// Addresses whose connections are not counted, for many clients stand behind them.
    pub uncounted: Vec<IpAddr>,
}

impl Limits {
    /// The usual ones behind these proxies; this machine is taken for one.
    pub fn behind(proxies: &[IpAddr]) -> Self {
        let own = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
        Self {
            pace: Pace::default(),
            unread: UNREAD,
            per_address: PER_ADDRESS,
            uncounted: proxies.iter().copied().chain(own).collect(),
        }
    }
}

/// How many connections each address holds.
#[derive(Clone, Default)]
struct Seats(Arc<Mutex<HashMap<IpAddr, usize>>>);

/// A connection that is counted until it is dropped.
struct Seat {
    seats: Seats,
    address: IpAddr,
}

impl Seats {
    /// `None` when the address holds all it may.
    fn take(&self, peer: IpAddr, most: usize) -> Option<Seat> {
        let address = household(peer);
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = held.entry(address).or_default();
        if *count >= most {
            return None;
        }
        *count += 1;
        Some(Seat { seats: self.clone(), address })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut held = self.seats.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = held.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                held.remove(&self.address);
            }
        }
    }
}

/// Serves until `stop` resolves, then lets running requests end.
pub async fn serve(listener: TcpListener, router: Router, limits: Limits, stop: impl Future<Output = ()>) {
    let seats = Seats::default();
    let graceful = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    tokio::pin!(stop);
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { break };
        let (stream, peer) = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Out of descriptors or the like: breathe, do not spin.
                    tracing::warn!(%error, "accept failed");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
            () = &mut stop => break,
        };
        let is_counted = !limits.uncounted.contains(&peer.ip().to_canonical());
        let most = if is_counted { limits.per_address } else { usize::MAX };
        let Some(seat) = seats.take(peer.ip(), most) else {
            tracing::debug!(%peer, "too many connections of one address");
            continue;
        };
        let _ = stream.set_nodelay(true);
        let _ = rustix::net::sockopt::set_socket_send_buffer_size(&stream, HELD);
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(limits.unread));
        let (router, pace) = (router.clone(), limits.pace);
        let service = hyper::service::service_fn(move |mut request: hyper::Request<Incoming>| {
            let too_slow = TooSlow::default();
            request.extensions_mut().insert(ConnectInfo::<SocketAddr>(peer));
            request.extensions_mut().insert(too_slow.clone());
            router.clone().call(request.map(|body| Paced::new(body, pace, too_slow)))
        });
        let connection = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADERS)
            .max_headers(64)
            .max_buf_size(64 * 1024)
            .serve_connection(TokioIo::new(Box::pin(stream)), service);
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "connection ended");
            }
            drop((place, seat));
        });
    }
    drop(listener);
    if tokio::time::timeout(GRACE, graceful.shutdown()).await.is_err() {
        tracing::warn!("some connections did not end in time");
    }
}
