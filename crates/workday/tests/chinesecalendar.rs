//! Every day of 2019 to 2026 as an independent source has it: PyPI chinesecalendar 1.11.0 (MIT License), written out by
//! `data/chinesecalendar.py`.

use jiff::civil::Date;
use workday::{Calendar, Layer};

#[test]
fn every_day_is_what_chinesecalendar_says() {
    let calendar = Calendar::mainland();
    let mut days = 0;
    let mut worked = 0;
    for line in include_str!("data/chinesecalendar-1.11.0.csv").lines().skip(1) {
        let [date, is_workday, festival] = line.split(',').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let date: Date = date.parse().unwrap();
        assert_eq!(calendar.is_workday(date), is_workday == "1", "{line}");
        let day = calendar.day(date).unwrap();
        // The source gives a festival the weekend beside it, too (与周末连休); the notices leave that a weekend.
        if day.layer == Layer::Mainland {
            assert!(!festival.is_empty() && day.why.contains(festival), "{line}: {}", day.why);
        } else {
            assert!(festival.is_empty() || day.why == "周末", "{line}: {}", day.why);
        }
        days += 1;
        worked += usize::from(is_workday == "1");
    }
    assert_eq!(days, 2922);
    let [first, last] = ["2019-01-01", "2026-12-31"].map(|date| date.parse().unwrap());
    assert_eq!(calendar.workdays(first, last), Ok(worked));
}
