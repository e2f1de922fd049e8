//! Every kind of value goes in and comes out the same on both engines.

use serde_json::json;
use store::{Error, FromColumn, Value};

use crate::kit::{Kit, both};

const TABLE: &str = "CREATE TABLE v (id BIGINT PRIMARY KEY, b BIGINT, n BIGINT, r DOUBLE PRECISION, t TEXT, j JSONB, x BYTEA)";

async fn table(kit: &Kit) {
    // Types as the migrations translate them.
    let sql = match kit.db.engine() {
        store::Engine::Sqlite => {
            "CREATE TABLE v (id INTEGER PRIMARY KEY, b INTEGER, n INTEGER, r REAL, t TEXT, j TEXT, x BLOB) STRICT"
        }
        store::Engine::Postgres => TABLE,
    };
    kit.schema(&[sql]).await;
}

/// Writes a value into a column and reads it back as `T`.
async fn there_and_back<T>(kit: &Kit, column: &'static str, value: Value<'static>) -> T
where
    T: FromColumn + Send + 'static,
{
    kit.db
        .write(move |tx| {
            tx.exec("DELETE FROM v", &[])?;
            tx.exec(&format!("INSERT INTO v (id, {column}) VALUES ($1, $2)"), &[1.into(), value.clone()])?;
            tx.value::<T>(&format!("SELECT {column} FROM v"), &[])?.ok_or(Error::NoRow)
        })
        .await
        .unwrap()
}

#[test]
fn integers_and_truth_values() {
    both(async |kit| {
        table(kit).await;
        for n in [0, 1, -1, i64::MAX, i64::MIN] {
            assert_eq!(there_and_back::<i64>(kit, "n", n.into()).await, n);
            assert_eq!(there_and_back::<Option<i64>>(kit, "n", n.into()).await, Some(n));
        }
        assert_eq!(there_and_back::<i64>(kit, "n", 7u32.into()).await, 7);
        for b in [true, false] {
            assert_eq!(there_and_back::<bool>(kit, "b", b.into()).await, b);
        }
        assert_eq!(there_and_back::<Option<i64>>(kit, "n", Value::Null).await, None);
        assert_eq!(there_and_back::<Option<bool>>(kit, "b", None::<bool>.into()).await, None);
    });
}

#[test]
fn reals() {
    both(async |kit| {
        table(kit).await;
        for r in [0.0, 0.1, -1.5, 1e300, f64::MIN_POSITIVE, 3.0] {
            assert_eq!(there_and_back::<f64>(kit, "r", r.into()).await, r);
        }
        assert_eq!(there_and_back::<f64>(kit, "r", 3i64.into()).await, 3.0, "an integer in a real column");
        assert_eq!(there_and_back::<Option<f64>>(kit, "r", Value::Null).await, None);
    });
}

#[test]
fn text() {
    both(async |kit| {
        table(kit).await;
        let long = "客".repeat(100_000);
        for t in ["", "张三", "O'Brien \"x\" \\ % _ $1 ?", "😀👩\u{200d}👩\u{200d}👧", "a\r\nb\t", &long]
        {
            assert_eq!(there_and_back::<String>(kit, "t", t.to_owned().into()).await, t);
        }
        assert_eq!(there_and_back::<Option<String>>(kit, "t", Value::Null).await, None);
        assert_eq!(there_and_back::<Option<String>>(kit, "t", "".into()).await, Some(String::new()));
    });
}

#[test]
fn json_and_bytes() {
    both(async |kit| {
        table(kit).await;
        let value = json!({"名": "张三 😀", "n": [1, 2.5, -3, true, null], "空": {}, "q": "\"'"});
        assert_eq!(there_and_back::<serde_json::Value>(kit, "j", value.clone().into()).await, value);
        // JSON sent as text arrives as JSON.
        assert_eq!(there_and_back::<serde_json::Value>(kit, "j", value.to_string().into()).await, value);
        assert_eq!(there_and_back::<serde_json::Value>(kit, "j", Value::Null).await, json!(null));
        assert_eq!(there_and_back::<Option<serde_json::Value>>(kit, "j", Value::Null).await, None);
        let bytes: &'static [u8] = &[0, 255, 1, 128];
        assert_eq!(there_and_back::<Vec<u8>>(kit, "x", bytes.into()).await, bytes);
        assert_eq!(there_and_back::<Option<Vec<u8>>>(kit, "x", Value::Null).await, None);
    });
}

#[test]
fn parameters_are_bound_by_name() {
    both(async |kit| {
        let found: (i64, i64, i64) = kit
            .db
            .read(|conn| {
                let sql = "SELECT CAST($2 AS BIGINT), CAST($1 AS BIGINT), CAST($2 AS BIGINT) + 1";
                conn.row(sql, &[10.into(), 20.into()])?.ok_or(Error::NoRow)
            })
            .await
            .unwrap();
        assert_eq!(found, (20, 10, 21));
    });
}

#[test]
fn a_wrong_number_of_parameters_is_refused() {
    both(async |kit| {
        for params in [vec![], vec![1], vec![1, 2, 3]] {
            let params: Vec<Value<'static>> = params.into_iter().map(Value::Int).collect();
            let sql = "SELECT CAST($1 AS BIGINT) + CAST($2 AS BIGINT)";
            let refused = kit.db.read(move |conn| conn.count(sql, &params)).await;
            assert!(matches!(refused, Err(Error::Sql(_))), "{refused:?}");
        }
    });
}

#[test]
fn a_column_of_another_type_is_an_error() {
    both(async |kit| {
        table(kit).await;
        kit.schema(&["INSERT INTO v (id, t, n) VALUES (1, 'x', NULL)"]).await;
        let text = kit.db.read(|conn| conn.value::<i64>("SELECT t FROM v", &[])).await;
        assert!(matches!(text, Err(Error::Column(0, _))), "{text:?}");
        let null = kit.db.read(|conn| conn.value::<i64>("SELECT n FROM v", &[])).await;
        assert!(matches!(null, Err(Error::Column(0, _))), "{null:?}");
        assert_eq!(kit.count("SELECT COUNT(*) FROM v").await, 1, "the connection still works");
    });
}
