//! Request bodies that come too slowly, so that nobody keeps requests open by sending a byte now and then.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::BoxError;
use hyper::body::{Body, Bytes, Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until};

/// How slowly a body may come. Only the time spent waiting for the client counts.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// The longest pause without a byte.
    pub idle: Duration,
    /// How long the client may be waited for in all, whatever it sends …
    pub allowance: Duration,
    /// … and one second more for each so many bytes that have come.
    pub bytes_a_second: u64,
}

impl Default for Pace {
    /// 15 s without a byte; 60 s in all and 8 KiB a second beyond that. An upload over 100 kB/s is twelve times as
    /// fast; one of the default limit of 50 MiB ends after an hour and three quarters at the latest.
    fn default() -> Self {
        Self { idle: Duration::from_secs(15), allowance: Duration::from_secs(60), bytes_a_second: 8 << 10 }
    }
}

impl Pace {
    fn allowed(&self, received: u64) -> Duration {
        self.allowance + Duration::from_secs(received / self.bytes_a_second.max(1))
    }
}

/// Whether the body of a request came too slowly; travels with the request.
#[derive(Clone, Debug, Default)]
pub(super) struct TooSlow(Arc<AtomicBool>);

impl TooSlow {
    pub(super) fn is_so(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// A body that fails when it comes too slowly.
pub(super) struct Paced<B> {
    body: B,
    pace: Pace,
    too_slow: TooSlow,
    received: u64,
    waited: Duration,
    /// Since when the next bytes are waited for, and until when they may be.
    waiting: Option<(Instant, Pin<Box<Sleep>>)>,
}

impl<B> Paced<B> {
    pub(super) fn new(body: B, pace: Pace, too_slow: TooSlow) -> Self {
        Self { body, pace, too_slow, received: 0, waited: Duration::ZERO, waiting: None }
    }
}

impl<B> Body for Paced<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.get_mut();
        if let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(cx) {
            if let Some((since, _)) = this.waiting.take() {
                this.waited += since.elapsed();
            }
            if let Some(Ok(frame)) = &frame {
                this.received += frame.data_ref().map_or(0, |data| data.len() as u64);
            }
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        let (_, timer) = this.waiting.get_or_insert_with(|| {
            let now = Instant::now();
            let left = this.pace.allowed(this.received).saturating_sub(this.waited);
            (now, Box::pin(sleep_until(now + left.min(this.pace.idle))))
        });
        ready!(timer.as_mut().poll(cx));
        this.too_slow.0.store(true, Ordering::SeqCst);
        Poll::Ready(Some(Err("the body came too slowly".into())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
