//! A caller that goes away leaves everything or nothing.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use store::{Error, Options};

use crate::kit::{INSERT, TABLE, both_with, options};

type Gate = (Sender<()>, Arc<Mutex<Receiver<()>>>);

fn gate() -> Gate {
    let (open, wait) = channel();
    (open, Arc::new(Mutex::new(wait)))
}

fn one_writer() -> Options {
    Options { writers: 1, ..options() }
}

#[test]
fn before_it_runs_nothing_happens() {
    both_with(&one_writer(), async |kit| {
        kit.schema(&[TABLE]).await;
        let (running, is_running) = gate();
        let (go, wait_go) = gate();
        let db = kit.db.clone();
        let blocking = tokio::spawn(async move {
            db.write(move |_| {
                running.send(()).unwrap();
                wait_go.lock().unwrap().recv().unwrap();
                Ok::<_, Error>(())
            })
            .await
        });
        tokio::task::spawn_blocking(move || is_running.lock().unwrap().recv().unwrap()).await.unwrap();
        // Behind it in the queue, and given up before its turn.
        let mut waiting = Box::pin(kit.add(1, 1));
        assert!(futures_poll(&mut waiting).await.is_none());
        drop(waiting);
        go.send(()).unwrap();
        blocking.await.unwrap().unwrap();
        kit.add(2, 2).await.unwrap();
        assert_eq!(kit.count("SELECT MIN(id) FROM t").await, 2);
    });
}

#[test]
fn while_it_runs_everything_happens() {
    both_with(&one_writer(), async |kit| {
        kit.schema(&[TABLE]).await;
        let (running, is_running) = gate();
        let (go, wait_go) = gate();
        let db = kit.db.clone();
        let mut writing = Box::pin(async move {
            db.write(move |tx| {
                tx.exec(INSERT, &[1.into(), 1.into()])?;
                running.send(()).unwrap();
                wait_go.lock().unwrap().recv().unwrap();
                tx.exec(INSERT, &[2.into(), 1.into()])
            })
            .await
        });
        assert!(futures_poll(&mut writing).await.is_none());
        tokio::task::spawn_blocking(move || is_running.lock().unwrap().recv().unwrap()).await.unwrap();
        drop(writing);
        go.send(()).unwrap();
        kit.add(3, 3).await.unwrap();
        assert_eq!(kit.count("SELECT COUNT(*) FROM t").await, 3);
    });
}

/// Polls once.
async fn futures_poll<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
    std::future::poll_fn(|context| {
        std::task::Poll::Ready(match std::pin::Pin::new(&mut *future).poll(context) {
            std::task::Poll::Ready(value) => Some(value),
            std::task::Poll::Pending => None,
        })
    })
    .await
}
