//! Numbers people read (户头号): unique, short, rising. Each writer takes a block of numbers at a time, so that
//! PostgreSQL's writers do not wait for each other; numbers are then not strictly in order of time.

use store::Tx;

/// Numbers a writer takes at a time on PostgreSQL; on SQLite there is one writer and no gap.
const BLOCK: i64 = 20;

/// The next number of a series, from 1.
pub fn next(tx: &mut Tx<'_>, series: &'static str) -> store::Result<i64> {
    let slot = tx.slot();
    if let Some(number) = tx.value::<i64>(
        "UPDATE number_blocks SET next = next + 1 WHERE name = $1 AND slot = $2 AND next < ends_before
         RETURNING next - 1",
        &[series.into(), slot.into()],
    )? {
        return Ok(number);
    }
    let end = tx
        .value::<i64>(
            "INSERT INTO number_series (name, next) VALUES ($1, 1 + CAST($2 AS BIGINT))
             ON CONFLICT (name) DO UPDATE SET next = number_series.next + $2 RETURNING next",
            &[series.into(), BLOCK.into()],
        )?
        .ok_or(store::Error::NoRow)?;
    let first = end - BLOCK;
    tx.exec(
        "INSERT INTO number_blocks (name, slot, next, ends_before) VALUES ($1, $2, $3, $4)
         ON CONFLICT (name, slot) DO UPDATE SET next = $3, ends_before = $4",
        &[series.into(), slot.into(), (first + 1).into(), end.into()],
    )?;
    Ok(first)
}
