//! Repeats a piece of work for a while and keeps what it took.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::client::Client;
use crate::process::Server;

/// What repeating something for a while showed.
#[derive(Clone, Copy, Debug)]
pub struct Figures {
    /// Times a second.
    pub rate: f64,
    /// Median seconds.
    pub p50: f64,
    /// Processor seconds of the server for each; 0 when there was none.
    pub cpu: f64,
}

/// Work repeated in this thread.
pub fn repeat(seconds: f64, mut work: impl FnMut(usize)) -> Figures {
    // Warm: caches filled, statements prepared.
    for n in 0..20 {
        work(n);
    }
    let mut times = Vec::new();
    let began = Instant::now();
    while began.elapsed().as_secs_f64() < seconds {
        let once = Instant::now();
        work(20 + times.len());
        times.push(once.elapsed());
    }
    Figures { rate: times.len() as f64 / began.elapsed().as_secs_f64(), p50: median(&mut times), cpu: 0.0 }
}

/// Requests to a server from so many clients at once; each gets its own number and the number of its request.
pub fn requests<W>(server: &Server, clients: usize, seconds: f64, headers: &str, work: W) -> Figures
where
    W: Fn(&mut Client, usize, usize) + Sync,
{
    let connections: Vec<Client> = (0..clients)
        .map(|number| {
            let mut client = Client::new(server.address, headers).unwrap();
            for n in 0..(40 / clients).max(2) {
                work(&mut client, number, n);
            }
            client
        })
        .collect();
    let stop = AtomicBool::new(false);
    let (cpu, began) = (server.cpu(), Instant::now());
    let mut times: Vec<Duration> = std::thread::scope(|scope| {
        let threads: Vec<_> = connections
            .into_iter()
            .enumerate()
            .map(|(number, mut client)| {
                let (work, stop) = (&work, &stop);
                scope.spawn(move || {
                    let mut times = Vec::new();
                    while !stop.load(Ordering::Relaxed) {
                        let once = Instant::now();
                        work(&mut client, number, 40 + times.len());
                        times.push(once.elapsed());
                    }
                    times
                })
            })
            .collect();
        std::thread::sleep(Duration::from_secs_f64(seconds));
        stop.store(true, Ordering::Relaxed);
        threads.into_iter().flat_map(|t| t.join().unwrap()).collect()
    });
    let (took, used) = (began.elapsed().as_secs_f64(), (server.cpu() - cpu).as_secs_f64());
    Figures { rate: times.len() as f64 / took, cpu: used / times.len() as f64, p50: median(&mut times) }
}

fn median(times: &mut [Duration]) -> f64 {
    times.sort_unstable();
    times.get(times.len() / 2).map_or(0.0, Duration::as_secs_f64)
}
