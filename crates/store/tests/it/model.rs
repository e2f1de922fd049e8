//! Random transactions with savepoints leave exactly what a map in memory says.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use store::{Error, Tx};

use crate::kit::{INSERT, Kit, TABLE, options};

/// One thing a transaction does.
#[derive(Clone, Debug)]
enum Step {
    Insert(i64, i64),
    Update(i64, i64),
    Delete(i64),
    /// Steps inside a savepoint; `true` when it ends with an error of its own.
    Inner(Vec<Step>, bool),
}

fn step() -> impl Strategy<Value = Step> {
    let leaf = prop_oneof![
        (0..8i64, any::<i64>()).prop_map(|(id, n)| Step::Insert(id, n)),
        (0..8i64, any::<i64>()).prop_map(|(id, n)| Step::Update(id, n)),
        (0..8i64).prop_map(Step::Delete),
    ];
    leaf.prop_recursive(3, 24, 6, |inner| {
        (prop::collection::vec(inner, 0..6), any::<bool>())
            .prop_map(|(steps, fails)| Step::Inner(steps, fails))
    })
}

type Rows = BTreeMap<i64, i64>;

/// What should happen: the failure of a step ends its savepoint.
fn expect(rows: &mut Rows, steps: &[Step], fails: bool) -> bool {
    for step in steps {
        match step {
            Step::Insert(id, _) if rows.contains_key(id) => return false,
            Step::Insert(id, n) => {
                rows.insert(*id, *n);
            }
            Step::Update(id, n) => {
                if let Some(row) = rows.get_mut(id) {
                    *row = *n;
                }
            }
            Step::Delete(id) => {
                rows.remove(id);
            }
            Step::Inner(steps, fails) => {
                let mut inner = rows.clone();
                if expect(&mut inner, steps, *fails) {
                    *rows = inner;
                }
            }
        }
    }
    !fails
}

fn perform(tx: &mut Tx<'_>, steps: &[Step], fails: bool) -> Result<(), Error> {
    for step in steps {
        match step {
            Step::Insert(id, n) => {
                tx.exec(INSERT, &[(*id).into(), (*n).into()])?;
            }
            Step::Update(id, n) => {
                tx.exec("UPDATE t SET n = $2 WHERE id = $1", &[(*id).into(), (*n).into()])?;
            }
            Step::Delete(id) => {
                tx.exec("DELETE FROM t WHERE id = $1", &[(*id).into()])?;
            }
            // Its failure is the point of a savepoint.
            Step::Inner(steps, fails) => {
                let _ = tx.savepoint(|tx| perform(tx, steps, *fails));
            }
        }
    }
    if fails { Err(Error::NoRow) } else { Ok(()) }
}

fn check(kit: &Kit, cases: u32) {
    kit.db.write_blocking(|tx| tx.exec(TABLE, &[])).unwrap();
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let transaction = (prop::collection::vec(step(), 0..8), prop::bool::weighted(0.1));
    runner
        .run(&prop::collection::vec(transaction, 1..5), |transactions| {
            kit.db.write_blocking(|tx| tx.exec("DELETE FROM t", &[])).unwrap();
            let mut model = Rows::new();
            for (steps, fails) in transactions {
                let mut wanted = model.clone();
                let committed = expect(&mut wanted, &steps, fails);
                let outcome = kit.db.write_blocking(move |tx| perform(tx, &steps, fails));
                prop_assert_eq!(outcome.is_ok(), committed, "{:?}", outcome);
                if committed {
                    model = wanted;
                }
                let found: Vec<(i64, i64)> =
                    kit.db.read_blocking(|conn| conn.rows("SELECT id, n FROM t ORDER BY id", &[])).unwrap();
                prop_assert_eq!(&found, &model.iter().map(|(id, n)| (*id, *n)).collect::<Vec<_>>());
            }
            Ok(())
        })
        .unwrap();
}

#[test]
fn random_transactions_equal_a_model() {
    check(&Kit::sqlite(&options()), 150);
    if let Some(kit) = Kit::postgres(&options()) {
        check(&kit, 60);
    }
}
