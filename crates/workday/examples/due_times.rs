//! How many due times a second one core reckons: `cargo run --release -p workday --example due_times`.

use std::hint::black_box;
use std::time::Instant;

use jiff::tz::TimeZone;
use workday::{Calendar, Millis, Within};

const ROUNDS: u32 = 3_000_000;
/// 2019-01-01 in UTC.
const FIRST: Millis = 1_546_300_800_000;
/// Of eight years.
const MINUTES: u64 = 8 * 365 * 24 * 60;

fn main() {
    let begun = Instant::now();
    let calendar = Calendar::mainland();
    println!("{:<22}{:>10.1} ms", "build a calendar", begun.elapsed().as_secs_f64() * 1000.0);
    for text in ["5wd", "5wd@end", "8wh", "90wmin", "7d", "24h", "3mo", "eom", "next-workday 10:00"] {
        let within: Within = text.parse().expect("these are deadlines");
        let begun = Instant::now();
        for at in instants() {
            black_box(calendar.due_at(black_box(at), within, &[])).expect("these are within the calendar");
        }
        report(text, ROUNDS, begun);
    }
    let within: Within = "5wd".parse().expect("this is a deadline");
    if let Ok(zone) = TimeZone::get("Asia/Shanghai") {
        let calendar = Calendar::builder().zone(zone).build();
        let begun = Instant::now();
        for at in instants() {
            black_box(calendar.due_at(black_box(at), within, &[])).expect("these are within the calendar");
        }
        report("5wd, Asia/Shanghai", ROUNDS, begun);
    }
    let begun = Instant::now();
    for at in instants().take(100_000) {
        let due = calendar.due(black_box(at), within, &[]).expect("these are within the calendar");
        black_box(due.explain());
    }
    report("5wd, explained", 100_000, begun);
}

/// Points in time in no order, so that the processor's caches are of no more help than in a company's day.
fn instants() -> impl Iterator<Item = Millis> {
    let mut state = 42_u64;
    (0..ROUNDS).map(move |_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        FIRST + ((state >> 33) % MINUTES) as Millis * 60_000
    })
}

fn report(what: &str, rounds: u32, begun: Instant) {
    let seconds = begun.elapsed().as_secs_f64();
    println!("{what:<22}{:>10.2} M due times a second", f64::from(rounds) / seconds / 1e6);
}
