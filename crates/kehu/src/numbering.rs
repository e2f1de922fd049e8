//! Numbers people read (户头号): unique, short, rising. On SQLite there is one writer and no gap. PostgreSQL's writers
//! each take a block of numbers, so that they do not wait for each other; numbers are then not strictly in order of
//! time, and a block that is left unfinished leaves a gap.

use std::time::{SystemTime, UNIX_EPOCH};

use store::{Engine, Tx};

/// The largest number given by hand in the form of ours: twelve digits, enough for a date and a day's count.
/// Larger ones are refused, so that nobody can drive the series to its end.
pub const LARGEST_GIVEN: i64 = 999_999_999_999;
/// A number given by hand moves the series on when it is at most this far ahead. Numbers further ahead (those of an
/// older system, say) are taken as they are: the series goes on at its own pace and steps over them when it gets there.
pub const REACH: i64 = 1_000_000;

/// Numbers a writer takes at first.
const BLOCK: i64 = 20;
/// Numbers a busy writer takes at the most, unless it needs more at once.
const LARGEST: i64 = 2_000;
/// A block used up within so many milliseconds is followed by one twice as long, a slower one by one half as long.
const BUSY: i64 = 10_000;

/// Takes `count` numbers of a series that follow each other; answers the first. The first number of all is 1.
pub fn take(tx: &mut Tx<'_>, series: &'static str, count: i64) -> store::Result<i64> {
    if count <= 0 {
        return Ok(0);
    }
    if tx.engine() == Engine::Sqlite {
        return advance(tx, series, count);
    }
    let slot = tx.slot();
    if let Some(first) = tx.value::<i64>(
        "UPDATE number_blocks SET next = next + $3 WHERE name = $1 AND slot = $2 AND next + $3 <= ends_before
         RETURNING next - $3",
        &[series.into(), slot.into(), count.into()],
    )? {
        return Ok(first);
    }
    let last: Option<(i64, i64)> = tx.row(
        "SELECT length, taken_at FROM number_blocks WHERE name = $1 AND slot = $2",
        &[series.into(), slot.into()],
    )?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis() as i64);
    let length = next_length(last.map(|(length, at)| (length, now - at)), count);
    // The series stays locked until the transaction ends: the longer the block, the more rarely that happens.
    let first = advance(tx, series, length)?;
    tx.exec(
        "INSERT INTO number_blocks (name, slot, next, ends_before, length, taken_at) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (name, slot) DO UPDATE SET next = $3, ends_before = $4, length = $5, taken_at = $6",
        &[
            series.into(),
            slot.into(),
            (first + count).into(),
            (first + length).into(),
            length.into(),
            now.into(),
        ],
    )?;
    Ok(first)
}

/// How long the next block is, after the length of the last one and how many milliseconds it sufficed.
fn next_length(last: Option<(i64, i64)>, count: i64) -> i64 {
    let usual = match last {
        Some((length, sufficed)) if (0..BUSY).contains(&sufficed) => length * 2,
        Some((length, _)) => length / 2,
        None => BLOCK,
    };
    // Many at once are a batch of an import, and the next batch wants as many.
    let wanted = if count > 1 { count * 4 } else { count };
    usual.clamp(BLOCK, LARGEST).max(wanted)
}

fn advance(tx: &mut Tx<'_>, series: &'static str, count: i64) -> store::Result<i64> {
    let end = tx
        .value::<i64>(
            "INSERT INTO number_series (name, next) VALUES ($1, 1 + CAST($2 AS BIGINT))
             ON CONFLICT (name) DO UPDATE SET next = number_series.next + $2 RETURNING next",
            &[series.into(), count.into()],
        )?
        .ok_or(store::Error::NoRow)?;
    Ok(end - count)
}

/// Notes that numbers were given by hand. The series moves on behind those that are not more than `REACH` ahead of it
/// or of each other.
pub fn note_given(tx: &mut Tx<'_>, series: &'static str, given: &mut [i64]) -> store::Result<()> {
    given.sort_unstable();
    let Some(smallest) = given.first() else { return Ok(()) };
    let next: Option<i64> = tx.value("SELECT next FROM number_series WHERE name = $1", &[series.into()])?;
    let start = next.unwrap_or(1);
    if *smallest >= start.saturating_add(REACH) {
        return Ok(());
    }
    pass(tx, series, last_in_reach(start, given))
}

/// The last of these sorted numbers that can be reached from `start` in steps of at most `REACH`; the first one can.
fn last_in_reach(start: i64, sorted: &[i64]) -> i64 {
    let mut reached = start;
    let mut last = start - 1;
    for number in sorted {
        if *number >= reached.saturating_add(REACH) {
            break;
        }
        (reached, last) = (reached.max(number.saturating_add(1)), *number);
    }
    last
}

/// Moves the series on, so that it never makes a number up to `used` again.
pub fn pass(tx: &mut Tx<'_>, series: &'static str, used: i64) -> store::Result<()> {
    // The series first: whoever is taking a block has committed it when this goes on, so that it is seen below.
    tx.exec(
        "INSERT INTO number_series (name, next) VALUES ($1, 1 + CAST($2 AS BIGINT)) ON CONFLICT (name) DO UPDATE
         SET next = CASE WHEN number_series.next > $2 THEN number_series.next ELSE 1 + CAST($2 AS BIGINT) END",
        &[series.into(), used.into()],
    )?;
    tx.exec("DELETE FROM number_blocks WHERE name = $1 AND next <= $2", &[series.into(), used.into()])?;
    Ok(())
}

/// A customer's number as people read it.
pub fn written(number: i64) -> String {
    format!("KH{number:06}")
}

/// The number in a text that `written` makes, however long; `None` for anything else.
pub fn serial(text: &str) -> Option<i64> {
    let number = text.strip_prefix("KH")?.parse().ok()?;
    (number >= 0 && written(number) == text).then_some(number)
}

/// Whether a number given by hand has the form of ours and is larger than any that may be given.
pub fn is_too_large(text: &str) -> bool {
    let digits = text.strip_prefix("KH").unwrap_or_default();
    let is_ours = digits.len() >= 6 && digits.bytes().all(|b| b.is_ascii_digit());
    is_ours && digits.parse::<i64>().map_or(true, |number| number > LARGEST_GIVEN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_the_series_can_make_is_known_again_and_nothing_else() {
        for number in
            [0, 1, 999_999, 1_000_000, LARGEST_GIVEN, 999_999_999_999_999, 1_000_000_000_000_000, i64::MAX]
        {
            assert_eq!(serial(&written(number)), Some(number));
        }
        for other in [
            "",
            "KH",
            "KH1",
            "KH12345",
            "KH0000001",
            "KH-00001",
            "KH+000001",
            "kh000001",
            "KH9223372036854775808",
        ] {
            assert_eq!(serial(other), None, "{other}");
        }
    }

    #[test]
    fn numbers_given_by_hand_move_the_series_as_far_as_it_reaches() {
        assert_eq!(last_in_reach(1, &[5]), 5);
        assert_eq!(last_in_reach(10, &[5]), 5, "one of a block that is still in use");
        assert_eq!(last_in_reach(1, &[REACH]), REACH);
        assert_eq!(last_in_reach(1, &[5, REACH + 5, REACH * 3]), REACH + 5);
        assert_eq!(last_in_reach(1, &[5, REACH + 6]), 5);
        assert_eq!(last_in_reach(i64::MAX, &[7]), 7, "a series at its end");
    }

    #[test]
    fn numbers_of_our_form_given_by_hand_have_at_most_twelve_digits() {
        for fine in [
            "KH000001",
            "KH999999999999",
            "KH0999999999999",
            "KH12345",
            "A9999999999999999",
            "KH-9999999999999",
        ] {
            assert!(!is_too_large(fine), "{fine}");
        }
        for large in
            ["KH1000000000000", "KH999999999999999", "KH9223372036854775807", "KH99999999999999999999"]
        {
            assert!(is_too_large(large), "{large}");
        }
    }

    #[test]
    fn a_busy_writer_takes_longer_blocks_and_an_idle_one_shorter_again() {
        assert_eq!(next_length(None, 1), BLOCK);
        assert_eq!(next_length(Some((20, BUSY - 1)), 1), 40);
        assert_eq!(next_length(Some((40, BUSY)), 1), 20);
        assert_eq!(next_length(Some((20, BUSY)), 1), BLOCK);
        assert_eq!(next_length(Some((LARGEST, 0)), 1), LARGEST);
        assert_eq!(next_length(None, 200), 800);
        assert_eq!(next_length(Some((20, -5)), 1), BLOCK, "a clock that was set back");
    }
}
