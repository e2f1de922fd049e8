//! Numbers people read (户头号): unique, short, rising. Each writer takes a block of numbers at a time, so that
//! PostgreSQL's writers do not wait for each other; numbers are then not strictly in order of time.

use store::Tx;

/// Numbers a writer takes at a time on PostgreSQL; on SQLite there is one writer and no gap.
const BLOCK: i64 = 20;

/// Takes `count` numbers of a series that follow each other; answers the first. The first number of all is 1.
pub fn take(tx: &mut Tx<'_>, series: &'static str, count: i64) -> store::Result<i64> {
    if count <= 0 {
        return Ok(0);
    }
    let slot = tx.slot();
    if let Some(first) = tx.value::<i64>(
        "UPDATE number_blocks SET next = next + $3 WHERE name = $1 AND slot = $2 AND next + $3 <= ends_before
         RETURNING next - $3",
        &[series.into(), slot.into(), count.into()],
    )? {
        return Ok(first);
    }
    // Many at once come straight from the series; the writer keeps what is left of its block.
    let taken = count.max(BLOCK);
    let end = tx
        .value::<i64>(
            "INSERT INTO number_series (name, next) VALUES ($1, 1 + CAST($2 AS BIGINT))
             ON CONFLICT (name) DO UPDATE SET next = number_series.next + $2 RETURNING next",
            &[series.into(), taken.into()],
        )?
        .ok_or(store::Error::NoRow)?;
    let first = end - taken;
    if taken > count {
        tx.exec(
            "INSERT INTO number_blocks (name, slot, next, ends_before) VALUES ($1, $2, $3, $4)
             ON CONFLICT (name, slot) DO UPDATE SET next = $3, ends_before = $4",
            &[series.into(), slot.into(), (first + count).into(), end.into()],
        )?;
    }
    Ok(first)
}

/// Notes that a number was given by hand, so that the series never makes it again.
pub fn pass(tx: &mut Tx<'_>, series: &'static str, used: i64) -> store::Result<()> {
    tx.exec("DELETE FROM number_blocks WHERE name = $1 AND next <= $2", &[series.into(), used.into()])?;
    tx.exec(
        "INSERT INTO number_series (name, next) VALUES ($1, 1 + CAST($2 AS BIGINT)) ON CONFLICT (name) DO UPDATE
         SET next = CASE WHEN number_series.next > $2 THEN number_series.next ELSE 1 + CAST($2 AS BIGINT) END",
        &[series.into(), used.into()],
    )?;
    Ok(())
}

/// A customer's number as people read it.
pub fn written(number: i64) -> String {
    format!("KH{number:06}")
}

/// The number in a text of the form `written` makes; `None` for anything else.
pub fn serial(text: &str) -> Option<i64> {
    let digits = text.strip_prefix("KH")?;
    let plain = (6..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| digits.parse().ok()).flatten()
}
