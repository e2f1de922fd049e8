//! Time as an argument: everything below the faces gets `now`; only `App` owns a clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use jiff::civil::{Date, DateTime};
use jiff::fmt::temporal::DateTimePrinter;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

/// Milliseconds since 1970-01-01 UTC.
pub type Millis = i64;

/// Where `now` comes from.
#[derive(Clone, Debug, Default)]
pub enum Clock {
    /// The machine's clock.
    #[default]
    System,
    /// A clock that stands still until it is moved: for tests.
    Fixed(Arc<AtomicI64>),
}

impl Clock {
    /// A clock standing at `now`.
    pub fn fixed(now: Millis) -> Self {
        Self::Fixed(Arc::new(AtomicI64::new(now)))
    }

    /// The time now.
    pub fn now(&self) -> Millis {
        match self {
            Self::System => SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(0, |d| i64::try_from(d.as_millis()).unwrap_or(0)),
            Self::Fixed(at) => at.load(Ordering::SeqCst),
        }
    }

    /// Moves a fixed clock on; the machine's clock cannot be moved.
    pub fn advance(&self, by_ms: i64) {
        if let Self::Fixed(at) = self {
            at.fetch_add(by_ms, Ordering::SeqCst);
        }
    }
}

/// The company's zone, for the faces only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone(pub TimeZone);

impl Zone {
    /// The zone of this IANA name; `None` when unknown.
    pub fn named(name: &str) -> Option<Self> {
        TimeZone::get(name).ok().map(Self)
    }

    /// Local date and time of a point in time.
    pub fn civil(&self, at: Millis) -> DateTime {
        Timestamp::from_millisecond(at).unwrap_or(Timestamp::UNIX_EPOCH).to_zoned(self.0.clone()).datetime()
    }

    /// A point in time with the zone.
    pub fn zoned(&self, at: Millis) -> jiff::Zoned {
        Timestamp::from_millisecond(at).unwrap_or(Timestamp::UNIX_EPOCH).to_zoned(self.0.clone())
    }

    /// Local date of a point in time.
    pub fn date(&self, at: Millis) -> Date {
        self.civil(at).date()
    }

    /// `2026-09-28 16:20`.
    pub fn minute(&self, at: Millis) -> String {
        self.civil(at).strftime("%Y-%m-%d %H:%M").to_string()
    }

    /// `2026-09-28 16:20:31`.
    pub fn second(&self, at: Millis) -> String {
        self.civil(at).strftime("%Y-%m-%d %H:%M:%S").to_string()
    }

    /// The point in time of a local date and time; a time skipped by daylight saving is taken after the gap.
    pub fn at(&self, local: DateTime) -> Millis {
        self.0.to_ambiguous_zoned(local).compatible().map_or(0, |z| z.timestamp().as_millisecond())
    }

    /// First and last-but-one millisecond of a local day: `[start, end)`.
    pub fn day(&self, date: Date) -> (Millis, Millis) {
        let next = date.checked_add(1.day()).unwrap_or(date);
        (
            self.at(date.to_datetime(jiff::civil::Time::midnight())),
            self.at(next.to_datetime(jiff::civil::Time::midnight())),
        )
    }

    /// Reads `2026-09-28`, `2026-09-28 16:20`, `2026-09-28T16:20[:31]`.
    pub fn parse(&self, text: &str) -> Option<Millis> {
        let text = text.trim().replace(' ', "T");
        if let Ok(local) = text.parse::<DateTime>() {
            return Some(self.at(local));
        }
        text.parse::<Date>().ok().map(|d| self.at(d.to_datetime(jiff::civil::Time::midnight())))
    }
}

impl Default for Zone {
    fn default() -> Self {
        Self::named("Asia/Shanghai").unwrap_or(Self(TimeZone::fixed(jiff::tz::offset(8))))
    }
}

/// Local month of a point in time in the company's zone: `2026-09`, the key of monthly counts.
pub fn month_of(at: Millis) -> String {
    static COMPANY: std::sync::LazyLock<Zone> = std::sync::LazyLock::new(Zone::default);
    COMPANY.civil(at).strftime("%Y-%m").to_string()
}

/// RFC 3339 in UTC, for the API: `2026-09-28T08:20:31.000Z`.
pub fn rfc3339(at: Millis) -> String {
    let at = Timestamp::from_millisecond(at).unwrap_or(Timestamp::UNIX_EPOCH);
    const PRINTER: DateTimePrinter = DateTimePrinter::new().precision(Some(3));
    PRINTER.timestamp_to_string(&at)
}

/// Reads the ways people write a date: `2026-09-28`, `2026/9/28`, `2026.9.28`, `2026年9月28日`, `20260928`, each also
/// with a time behind it. Years 1900 to 2100.
pub fn parse_date(text: &str) -> Option<String> {
    let text = hanzi::fold::width(text);
    let text = text.trim();
    let head = text.split([' ', 'T']).next().unwrap_or(text);
    let numbers: Vec<&str> = if head.len() == 8 && head.bytes().all(|b| b.is_ascii_digit()) {
        vec![&head[..4], &head[4..6], &head[6..]]
    } else {
        head.split(['-', '/', '.', '年', '月', '日']).filter(|p| !p.is_empty()).collect()
    };
    let [year, month, day] = numbers.as_slice() else { return None };
    let date = Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok()?;
    (1900..=2100).contains(&date.year()).then(|| date.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_as_people_write_them() {
        for text in
            ["2026-09-28", "2026/9/28", "2026.9.28", "2026年9月28日", "20260928", "2026-09-28 16:20:00"]
        {
            assert_eq!(parse_date(text).as_deref(), Some("2026-09-28"), "{text}");
        }
        for text in ["2026-02-30", "28/09/2026", "明天", "", "0026-01-01", "2026-09"] {
            assert_eq!(parse_date(text), None, "{text}");
        }
    }

    #[test]
    fn the_face_shows_the_company_zone_and_the_database_keeps_utc() {
        let zone = Zone::default();
        let at = zone.parse("2026-09-28 16:20").unwrap();
        assert_eq!(rfc3339(at), "2026-09-28T08:20:00.000Z");
        assert_eq!(zone.minute(at), "2026-09-28 16:20");
        let (start, end) = zone.day("2026-09-28".parse().unwrap());
        assert_eq!(end - start, 24 * 3600 * 1000);
        assert!(start <= at && at < end);
        assert_eq!(zone.parse("昨天"), None);
    }
}
