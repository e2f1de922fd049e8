//! Values that go into statements and come out of rows, the same on both engines.

use postgres::types::{IsNull, ToSql, Type, private::BytesMut, to_sql_checked};
use rusqlite::types::{ToSqlOutput, ValueRef};

use crate::{Error, Result};

/// A parameter of a statement. Built with `.into()` from the usual types and from `Option` of them.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    /// NULL.
    Null,
    /// A truth value.
    Bool(bool),
    /// A 64-bit integer: ids, times in milliseconds, cents.
    Int(i64),
    /// A double.
    Real(f64),
    /// Borrowed text.
    Text(&'a str),
    /// Owned text.
    Owned(String),
    /// Bytes.
    Bytes(&'a [u8]),
    /// JSON: text in SQLite, `jsonb` in PostgreSQL.
    Json(&'a serde_json::Value),
    /// Owned JSON.
    OwnedJson(serde_json::Value),
}

macro_rules! value_from {
    ($($t:ty => |$v:ident| $e:expr),* $(,)?) => { $(impl<'a> From<$t> for Value<'a> { fn from($v: $t) -> Self { $e } })* };
}
value_from! {
    bool => |v| Value::Bool(v),
    i64 => |v| Value::Int(v),
    i32 => |v| Value::Int(v.into()),
    u32 => |v| Value::Int(v.into()),
    f64 => |v| Value::Real(v),
    &'a str => |v| Value::Text(v),
    &'a String => |v| Value::Text(v),
    String => |v| Value::Owned(v),
    &'a [u8] => |v| Value::Bytes(v),
    &'a Vec<u8> => |v| Value::Bytes(v),
    &'a serde_json::Value => |v| Value::Json(v),
    serde_json::Value => |v| Value::OwnedJson(v),
}
impl<'a, T: Into<Value<'a>>> From<Option<T>> for Value<'a> {
    fn from(v: Option<T>) -> Self {
        v.map_or(Value::Null, Into::into)
    }
}
impl<'a> From<&'a Option<String>> for Value<'a> {
    fn from(v: &'a Option<String>) -> Self {
        v.as_deref().map_or(Value::Null, Value::Text)
    }
}

impl rusqlite::ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        use rusqlite::types::Value as Own;
        Ok(match self {
            Value::Null => ToSqlOutput::Borrowed(ValueRef::Null),
            Value::Bool(v) => ToSqlOutput::Owned(Own::Integer((*v).into())),
            Value::Int(v) => ToSqlOutput::Owned(Own::Integer(*v)),
            Value::Real(v) => ToSqlOutput::Owned(Own::Real(*v)),
            Value::Text(v) => ToSqlOutput::Borrowed(ValueRef::Text(v.as_bytes())),
            Value::Owned(v) => ToSqlOutput::Borrowed(ValueRef::Text(v.as_bytes())),
            Value::Bytes(v) => ToSqlOutput::Borrowed(ValueRef::Blob(v)),
            Value::Json(v) => ToSqlOutput::Owned(Own::Text(v.to_string())),
            Value::OwnedJson(v) => ToSqlOutput::Owned(Own::Text(v.to_string())),
        })
    }
}

type Boxed = Box<dyn std::error::Error + Sync + Send>;

impl ToSql for Value<'_> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Boxed> {
        match self {
            Value::Null => Ok(IsNull::Yes),
            Value::Bool(v) => match *ty {
                Type::BOOL => v.to_sql(ty, out),
                _ => Value::Int((*v).into()).to_sql(ty, out),
            },
            Value::Int(v) => match *ty {
                Type::INT4 => i32::try_from(*v)?.to_sql(ty, out),
                Type::INT2 => i16::try_from(*v)?.to_sql(ty, out),
                Type::FLOAT8 => (*v as f64).to_sql(ty, out),
                Type::TEXT | Type::VARCHAR => v.to_string().to_sql(ty, out),
                Type::BOOL => (*v != 0).to_sql(ty, out),
                _ => v.to_sql(&Type::INT8, out),
            },
            Value::Real(v) => v.to_sql(&Type::FLOAT8, out),
            Value::Text(v) => text(v, ty, out),
            Value::Owned(v) => text(v, ty, out),
            Value::Bytes(v) => v.to_sql(&Type::BYTEA, out),
            Value::Json(v) => json(v, ty, out),
            Value::OwnedJson(v) => json(v, ty, out),
        }
    }
    fn accepts(_: &Type) -> bool {
        true
    }
    to_sql_checked!();
}

/// PostgreSQL has no NUL in text; the application refuses it long before, here it would be an error of ours.
fn text(v: &str, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Boxed> {
    match *ty {
        Type::JSONB | Type::JSON => json(&serde_json::from_str(v)?, ty, out),
        _ => v.to_sql(&Type::TEXT, out),
    }
}

fn json(v: &serde_json::Value, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Boxed> {
    match *ty {
        Type::JSONB | Type::JSON => v.to_sql(ty, out),
        _ => v.to_string().to_sql(&Type::TEXT, out),
    }
}

/// One row of an answer.
pub enum Row<'r> {
    #[doc(hidden)]
    Sqlite(&'r rusqlite::Row<'r>),
    #[doc(hidden)]
    Postgres(&'r postgres::Row),
}

impl Row<'_> {
    /// The value of column `i` (from 0).
    pub fn get<T: FromColumn>(&self, i: usize) -> Result<T> {
        match self {
            Row::Sqlite(row) => T::sqlite(row.get_ref(i)?, i),
            Row::Postgres(row) => T::postgres(row, i),
        }
    }
}

/// A type a column can be read into.
pub trait FromColumn: Sized {
    #[doc(hidden)]
    fn sqlite(value: ValueRef<'_>, i: usize) -> Result<Self>;
    #[doc(hidden)]
    fn postgres(row: &postgres::Row, i: usize) -> Result<Self>;
}

fn wrong<T>(i: usize, value: ValueRef<'_>) -> Result<T> {
    Err(Error::Column(i, format!("unexpected {}", value.data_type())))
}

fn pg<'r, T: postgres::types::FromSql<'r>>(row: &'r postgres::Row, i: usize) -> Result<T> {
    row.try_get(i).map_err(|e| Error::Column(i, e.to_string()))
}

impl FromColumn for i64 {
    fn sqlite(value: ValueRef<'_>, i: usize) -> Result<Self> {
        match value {
            ValueRef::Integer(v) => Ok(v),
            other => wrong(i, other),
        }
    }
    fn postgres(row: &postgres::Row, i: usize) -> Result<Self> {
        match *row.columns()[i].type_() {
            Type::INT4 => pg::<i32>(row, i).map(Into::into),
            Type::INT2 => pg::<i16>(row, i).map(Into::into),
            _ => pg(row, i),
        }
    }
}
impl FromColumn for bool {
    fn sqlite(value: ValueRef<'_>, i: usize) -> Result<Self> {
        i64::sqlite(value, i).map(|v| v != 0)
    }
    fn postgres(row: &postgres::Row, i: usize) -> Result<Self> {
        match *row.columns()[i].type_() {
            Type::BOOL => pg(row, i),
            _ => i64::postgres(row, i).map(|v| v != 0),
        }
    }
}
impl FromColumn for f64 {
    fn sqlite(value: ValueRef<'_>, i: usize) -> Result<Self> {
        match value {
            ValueRef::Real(v) => Ok(v),
            ValueRef::Integer(v) => Ok(v as f64),
            other => wrong(i, other),
        }
    }
    fn postgres(row: &postgres::Row, i: usize) -> Result<Self> {
        match *row.columns()[i].type_() {
            Type::FLOAT8 => pg(row, i),
            _ => i64::postgres(row, i).map(|v| v as f64),
        }
    }
}
impl FromColumn for String {
    fn sqlite(value: ValueRef<'_>, i: usize) -> Result<Self> {
        match value {
            ValueRef::Text(v) => {
                std::str::from_utf8(v).map(str::to_owned).map_err(|e| Error::Column(i, e.to_string()))
            }
            ValueRef::Integer(v) => Ok(v.to_string()),
            ValueRef::Real(v) => Ok(v.to_string()),
            other => wrong(i, other),
        }
    }
    fn postgres(row: &postgres::Row, i: usize) -> Result<Self> {
        pg(row, i)
    }
}
impl FromColumn for Vec<u8> {
    fn sqlite(value: ValueRef<'_>, i: usize) -> Result<Self> {
        match value {
            ValueRef::Blob(v) => Ok(v.to_vec()),
            other => wrong(i, other),
        }
    }
    fn postgres(row: &postgres::Row, i: usize) -> Result<Self> {
        pg(row, i)
    }
}
impl FromColumn for serde_json::Value {
    fn sqlite(value: ValueRef<'_>, i: usize) -> Result<Self> {
        match value {
            ValueRef::Text(v) => serde_json::from_slice(v).map_err(|e| Error::Column(i, e.to_string())),
            ValueRef::Null => Ok(Self::Null),
            other => wrong(i, other),
        }
    }
    fn postgres(row: &postgres::Row, i: usize) -> Result<Self> {
        match *row.columns()[i].type_() {
            Type::JSONB | Type::JSON => pg::<Option<Self>>(row, i).map(Option::unwrap_or_default),
            _ => serde_json::from_str(&pg::<String>(row, i)?).map_err(|e| Error::Column(i, e.to_string())),
        }
    }
}
impl<T: FromColumn> FromColumn for Option<T> {
    fn sqlite(value: ValueRef<'_>, i: usize) -> Result<Self> {
        match value {
            ValueRef::Null => Ok(None),
            other => T::sqlite(other, i).map(Some),
        }
    }
    fn postgres(row: &postgres::Row, i: usize) -> Result<Self> {
        if pg::<Option<AnyNull>>(row, i)?.is_none() { Ok(None) } else { T::postgres(row, i).map(Some) }
    }
}

/// Accepts every type and keeps nothing: tells NULL from a value.
struct AnyNull;
impl<'a> postgres::types::FromSql<'a> for AnyNull {
    fn from_sql(_: &Type, _: &'a [u8]) -> Result<Self, Boxed> {
        Ok(Self)
    }
    fn accepts(_: &Type) -> bool {
        true
    }
}

/// A type one row is read into.
pub trait FromRow: Sized {
    /// Reads the row; columns are counted from 0 in the order of the SELECT.
    fn from_row(row: &Row<'_>) -> Result<Self>;
}

macro_rules! tuple_rows {
    ($($name:ident $i:tt),+) => {
        impl<$($name: FromColumn),+> FromRow for ($($name,)+) {
            fn from_row(row: &Row<'_>) -> Result<Self> { Ok(($(row.get::<$name>($i)?,)+)) }
        }
    };
}
tuple_rows!(A 0);
tuple_rows!(A 0, B 1);
tuple_rows!(A 0, B 1, C 2);
tuple_rows!(A 0, B 1, C 2, D 3);
tuple_rows!(A 0, B 1, C 2, D 3, E 4);
tuple_rows!(A 0, B 1, C 2, D 3, E 4, F 5);
tuple_rows!(A 0, B 1, C 2, D 3, E 4, F 5, G 6);
tuple_rows!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);
