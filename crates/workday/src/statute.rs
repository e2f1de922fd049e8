//! The days off the law itself names, for years whose arrangement nobody has announced: no weekend is moved to them and
//! no day is made up for.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use jiff::ToSpan;
use jiff::civil::Date;

use crate::FileError;
use crate::read::{Fields, Place, open};

/// The first year of the law as it stands: 《全国年节及纪念日放假办法》, 国务院令第795号.
pub const SINCE: i16 = 2025;

/// The festivals that move, as dates of one year: `data/festivals.toml`.
struct Moving {
    spring: Date,
    qingming: Date,
    dragon_boat: Date,
    mid_autumn: Date,
}

/// The days off of a year with their festivals. After the last year of `data/festivals.toml` those that move are missing.
pub fn days(year: i16) -> BTreeMap<Date, String> {
    static MOVING: LazyLock<BTreeMap<i16, Moving>> = LazyLock::new(|| {
        parse(include_str!("../data/festivals.toml")).expect("data/festivals.toml is read by a test")
    });
    let mut festivals = vec![("元旦", Date::new(year, 1, 1).ok(), 1)];
    if let Some(moving) = MOVING.get(&year) {
        // 除夕 and the first three days.
        festivals.push(("春节", moving.spring.checked_sub(1.day()).ok(), 4));
        festivals.push(("清明节", Some(moving.qingming), 1));
        festivals.push(("端午节", Some(moving.dragon_boat), 1));
    }
    festivals.push(("劳动节", Date::new(year, 5, 1).ok(), 2));
    festivals.push(("国庆节", Date::new(year, 10, 1).ok(), 3));
    if let Some(moving) = MOVING.get(&year) {
        festivals.push(("中秋节", Some(moving.mid_autumn), 1));
    }
    let mut days: BTreeMap<Date, String> = BTreeMap::new();
    for (name, first, length) in festivals {
        let Some(first) = first else { continue };
        for date in first.series(1.day()).take(length) {
            let named = days.entry(date).or_default();
            if !named.is_empty() {
                named.push('、');
            }
            named.push_str(name);
        }
    }
    days
}

fn parse(text: &str) -> Result<BTreeMap<i16, Moving>, FileError> {
    let file = open(text)?;
    let mut fields = Fields::of(&file);
    let entries = fields.need("year")?.array()?;
    fields.done()?;
    entries.iter().map(read).collect()
}

fn read(place: &Place<'_>) -> Result<(i16, Moving), FileError> {
    let mut fields = Fields::within(place)?;
    let year = fields.need("year")?.year()?;
    let moving = Moving {
        spring: fields.need("spring")?.date()?,
        qingming: fields.need("qingming")?.date()?,
        dragon_boat: fields.need("dragon_boat")?.date()?,
        mid_autumn: fields.need("mid_autumn")?.date()?,
    };
    fields.done()?;
    Ok((year, moving))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Calendar, Kind};

    #[test]
    fn festivals_that_move_stand_where_they_can() {
        let all = parse(include_str!("../data/festivals.toml")).unwrap();
        assert_eq!(all.keys().copied().collect::<Vec<_>>(), (2027..=2040).collect::<Vec<_>>());
        for (year, moving) in all {
            for (date, first, last) in [
                (moving.spring, (1, 21), (2, 20)),
                (moving.qingming, (4, 4), (4, 6)),
                (moving.dragon_boat, (5, 25), (6, 25)),
                (moving.mid_autumn, (9, 7), (10, 8)),
            ] {
                let on = |(month, day)| Date::new(year, month, day).unwrap();
                assert!((on(first)..=on(last)).contains(&date), "{date}");
            }
            // From the first of the first month to the fifteenth of the eighth there are seven months, or eight with a
            // leap month, and fourteen days; from there to the fifth of the fifth four months and four days.
            let days = |to: Date| to.duration_since(moving.spring).as_hours() / 24;
            let months = |n: i64| (n * 29_530_588 / 1_000_000 - 2)..=(n * 29_530_588 / 1_000_000 + 3);
            let is_so = |to: Date, months_after: i64, rest: i64| {
                [0, 1].iter().any(|leap| months(months_after + leap).contains(&(days(to) - rest)))
            };
            assert!(is_so(moving.dragon_boat, 4, 4) && is_so(moving.mid_autumn, 7, 14), "{year}");
        }
    }

    #[test]
    fn the_law_names_thirteen_days() {
        for year in 2027..=2040 {
            let days = days(year);
            let shared = days.values().filter(|name| name.contains('、')).count();
            assert_eq!(days.len() + shared, 13, "{year}: {days:?}");
        }
        assert_eq!(days(2028)[&Date::constant(2028, 10, 3)], "国庆节、中秋节");
        assert_eq!(days(2041).len(), 6);
    }

    /// Every day the law names was off in the years announced since.
    #[test]
    fn the_notices_keep_what_the_law_names() {
        let calendar = Calendar::mainland();
        for year in SINCE..=2026 {
            for date in days(year).into_keys() {
                assert_eq!(calendar.day(date).unwrap().kind, Kind::Rest, "{date}");
            }
        }
    }
}
