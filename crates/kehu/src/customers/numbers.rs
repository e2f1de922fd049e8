//! Customers' numbers: the next free ones of the series, and those given by hand.

use store::Tx;

use super::create::insert_error;
use crate::error::AppError;
use crate::numbering;

const SERIES: &str = "customer";
/// How often numbers that are taken already are stepped over before the caller shall try again later. Each time the
/// series passes everything taken within `numbering::REACH`.
const STEPS: usize = 8;
/// The highest number of a living customer between two texts, of one length.
const HIGHEST_TAKEN: &str =
    "SELECT number FROM customers WHERE deleted_at IS NULL AND number >= $1 AND number <= $2
    AND LENGTH(number) = $3 ORDER BY number DESC LIMIT 1";

/// Takes `count` free numbers that follow each other; answers the first. Numbers somebody gave by hand far ahead of
/// the series are stepped over when it reaches them.
pub(super) fn take(tx: &mut Tx<'_>, count: i64) -> Result<i64, AppError> {
    for _ in 0..STEPS {
        let first = numbering::take(tx, SERIES, count)?;
        if count <= 0 || highest_taken(tx, first, first + count - 1)?.is_none() {
            return Ok(first);
        }
        let last = highest_taken(tx, first, first.saturating_add(numbering::REACH))?;
        numbering::pass(tx, SERIES, last.unwrap_or(first))?;
    }
    Err(AppError::Unavailable)
}

/// The highest of these numbers that a living customer has: one that was taken away leaves his number free, and the
/// index knows the living only.
fn highest_taken(tx: &mut Tx<'_>, first: i64, last: i64) -> store::Result<Option<i64>> {
    let (mut from, mut highest) = (first, None);
    // Texts of one length sort like their numbers.
    while from <= last {
        let digits = numbering::written(from).len();
        let longest =
            10_i64.checked_pow(u32::try_from(digits - 2).unwrap_or(u32::MAX)).map_or(i64::MAX, |n| n - 1);
        let to = last.min(longest);
        let found: Option<String> = tx.value(
            HIGHEST_TAKEN,
            &[numbering::written(from).into(), numbering::written(to).into(), (digits as i64).into()],
        )?;
        highest = found.as_deref().and_then(numbering::serial).or(highest);
        let Some(next) = to.checked_add(1) else { break };
        from = next;
    }
    Ok(highest)
}

/// Notes numbers given by hand; `check_number` has accepted them.
pub(super) fn note_given<'n>(
    tx: &mut Tx<'_>,
    numbers: impl IntoIterator<Item = &'n str>,
) -> store::Result<()> {
    let mut given: Vec<i64> = numbers.into_iter().filter_map(numbering::serial).collect();
    numbering::note_given(tx, SERIES, &mut given)
}

/// Why a customer with this number could not be inserted. A number of the series that somebody else gave in the very
/// same moment is no mistake of the caller's: trying again helps.
pub(super) fn refused(error: store::Error, number: &str, is_given: bool) -> AppError {
    match insert_error(error, number) {
        AppError::Invalid(_) if !is_given => AppError::Unavailable,
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use store::{Db, Location, Options};

    use super::HIGHEST_TAKEN;

    /// Asked at every creation: it must not walk all customers.
    #[test]
    fn taken_numbers_are_looked_up_in_an_index() {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open(&Location::Sqlite(folder.path().join("kehu.db")), &Options::default()).unwrap();
        store::migrate(&db, crate::schema::MIGRATIONS).unwrap();
        let plan: Vec<(i64, i64, i64, String)> = db
            .read_blocking(|conn| {
                let sql = format!("EXPLAIN QUERY PLAN {HIGHEST_TAKEN}");
                conn.rows(&sql, &["KH000001".into(), "KH000200".into(), 8_i64.into()])
            })
            .unwrap();
        let plan: Vec<&str> = plan.iter().map(|step| step.3.as_str()).collect();
        assert_eq!(plan.len(), 1, "{plan:?}");
        assert!(
            plan[0].starts_with("SEARCH customers USING") && plan[0].contains("customers_number_key"),
            "{plan:?}"
        );
    }
}
