//! The server's log on standard error: what is asked for by `KEHU_LOG`, and a failure that repeats only a few times a
//! minute, so that a full disk or a lost database is not filled up and hidden by its own complaints.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Filter, Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, fmt};

/// Warnings and errors of one place in the code that are written within `WINDOW`.
const MOST: u32 = 10;
const WINDOW: Duration = Duration::from_secs(60);

/// Starts it; once in a process.
pub(super) fn begin() {
    let wanted = EnvFilter::try_from_env("KEHU_LOG").unwrap_or_else(|_| "kehu=info,store=info,warn".into());
    let lines = fmt::layer().with_writer(std::io::stderr).with_filter(Sparing::default());
    tracing_subscriber::registry().with(wanted).with(lines).init();
}

/// File and line.
type Place = (Option<&'static str>, Option<u32>);

/// Leaves out warnings and errors that come too often from the same place.
#[derive(Default)]
struct Sparing(Mutex<HashMap<Place, (Instant, u32)>>);

impl Sparing {
    /// Whether another one of this place may be written at `now`.
    fn takes(&self, place: Place, now: Instant) -> bool {
        let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (began, written) = places.entry(place).or_insert((now, 0));
        if now.duration_since(*began) >= WINDOW {
            (*began, *written) = (now, 0);
        }
        *written = written.saturating_add(1);
        *written <= MOST
    }
}

impl<S: Subscriber> Filter<S> for Sparing {
    fn enabled(&self, _: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        true
    }

    fn event_enabled(&self, event: &Event<'_>, _: &Context<'_, S>) -> bool {
        let about = event.metadata();
        *about.level() > Level::WARN || self.takes((about.file(), about.line()), Instant::now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_that_repeats_is_written_a_few_times_a_minute() {
        let (one, other) = ((Some("a.rs"), Some(1)), (Some("a.rs"), Some(2)));
        let (log, began) = (Sparing::default(), Instant::now());
        let written = (0..1_000).filter(|_| log.takes(one, began)).count();
        assert_eq!(written, MOST as usize);
        assert!(log.takes(other, began));
        assert!(!log.takes(one, began + WINDOW - Duration::from_millis(1)));
        assert!(log.takes(one, began + WINDOW));
    }
}
