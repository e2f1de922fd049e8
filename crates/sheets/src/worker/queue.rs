//! Frames on their way from the thread that reads to the caller, bounded by the bytes they hold: a row may be a few
//! bytes or a megabyte, so counting frames would bound nothing.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Where frames are put; the queue ends when it is dropped.
pub struct Sender<T>(Arc<Queue<T>>);

/// Where they are taken; nothing is put any more when it is dropped.
pub struct Receiver<T>(Arc<Queue<T>>);

struct Queue<T> {
    waiting: Mutex<Waiting<T>>,
    changed: Condvar,
    max_bytes: usize,
}

struct Waiting<T> {
    items: VecDeque<(T, usize)>,
    bytes: usize,
    has_sender: bool,
    has_receiver: bool,
}

/// Why nothing was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nothing {
    /// The time is up.
    Yet,
    /// The sender is gone.
    AnyMore,
}

/// A queue in which items of at most `max_bytes` wait; one that is larger waits alone.
pub fn queue<T>(max_bytes: usize) -> (Sender<T>, Receiver<T>) {
    let waiting = Waiting { items: VecDeque::new(), bytes: 0, has_sender: true, has_receiver: true };
    let queue = Arc::new(Queue { waiting: Mutex::new(waiting), changed: Condvar::new(), max_bytes });
    (Sender(Arc::clone(&queue)), Receiver(queue))
}

impl<T> Queue<T> {
    fn lock(&self) -> MutexGuard<'_, Waiting<T>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Sender<T> {
    /// Puts an item of this size in when there is room; `false` when nobody takes it any more.
    pub fn send(&self, item: T, bytes: usize) -> bool {
        let mut waiting = self.0.lock();
        while waiting.has_receiver
            && !waiting.items.is_empty()
            && waiting.bytes.saturating_add(bytes) > self.0.max_bytes
        {
            waiting = self.0.changed.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
        if !waiting.has_receiver {
            return false;
        }
        waiting.bytes += bytes;
        waiting.items.push_back((item, bytes));
        self.0.changed.notify_all();
        true
    }
}

impl<T> Receiver<T> {
    /// The next item, waited for at most so long.
    pub fn recv_timeout(&self, patience: Duration) -> Result<T, Nothing> {
        let since = Instant::now();
        let mut waiting = self.0.lock();
        loop {
            if let Some((item, bytes)) = waiting.items.pop_front() {
                waiting.bytes -= bytes;
                self.0.changed.notify_all();
                return Ok(item);
            }
            if !waiting.has_sender {
                return Err(Nothing::AnyMore);
            }
            let left = patience.saturating_sub(since.elapsed());
            if left.is_zero() {
                return Err(Nothing::Yet);
            }
            let woken = self.0.changed.wait_timeout(waiting, left);
            waiting = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        self.0.lock().has_sender = false;
        self.0.changed.notify_all();
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        let mut waiting = self.0.lock();
        waiting.has_receiver = false;
        waiting.items.clear();
        waiting.bytes = 0;
        self.0.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(20);

    #[test]
    fn no_more_bytes_wait_than_allowed_and_all_come_in_order() {
        let (sender, receiver) = queue::<usize>(1_000);
        let sent = AtomicUsize::new(0);
        thread::scope(|scope| {
            let sent = &sent;
            scope.spawn(move || {
                for n in 0..500 {
                    assert!(sender.send(n, 300));
                    sent.fetch_add(1, Ordering::SeqCst);
                }
            });
            for taken in 0..500 {
                assert!(sent.load(Ordering::SeqCst) <= taken + 3);
                assert_eq!(receiver.recv_timeout(PATIENCE), Ok(taken));
            }
            assert_eq!(receiver.recv_timeout(PATIENCE), Err(Nothing::AnyMore));
        });
    }

    #[test]
    fn a_larger_item_waits_alone_and_whoever_waits_is_told_of_the_end() {
        let (sender, receiver) = queue::<u8>(10);
        assert!(sender.send(1, 1_000));
        thread::scope(|scope| {
            let second = scope.spawn(|| sender.send(2, 1));
            assert_eq!(receiver.recv_timeout(PATIENCE), Ok(1));
            assert_eq!(receiver.recv_timeout(PATIENCE), Ok(2));
            assert!(second.join().unwrap());
        });
        assert_eq!(receiver.recv_timeout(Duration::ZERO), Err(Nothing::Yet));
        assert!(sender.send(3, 10));
        thread::scope(|scope| {
            let waiting = scope.spawn(|| sender.send(4, 10));
            drop(receiver);
            assert!(!waiting.join().unwrap());
        });
        assert!(!sender.send(5, 1));
    }
}
