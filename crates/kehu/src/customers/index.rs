//! What is derived from a customer for finding it: the search document and the normalised keys for duplicates.

use std::collections::HashMap;
use std::ops::ControlFlow;

use hanzi::{normal, search::Document};
use store::{Conn, Tx, Value};

use super::fields::Field;
use super::model::{Customer, Kind, Values};
use crate::access::{self, Actor, Object};
use crate::ids::CustomerId;
use crate::search;

/// By what two customers may be recognised as the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Keyed {
    /// The same number.
    Number,
    /// The same name, apart from spaces, width, case, legal form.
    Name,
    /// The same phone.
    Phone,
    /// The same credit code.
    CreditCode,
    /// The same ID number.
    IdNumber,
    /// The same mail address.
    Email,
}

impl Keyed {
    /// Every kind, strongest first.
    pub const ALL: [Self; 6] =
        [Self::Number, Self::CreditCode, Self::IdNumber, Self::Phone, Self::Email, Self::Name];

    /// The name stored and sent.
    pub fn code(self) -> &'static str {
        match self {
            Self::Number => "number",
            Self::Name => "name",
            Self::Phone => "phone",
            Self::CreditCode => "credit_code",
            Self::IdNumber => "id_number",
            Self::Email => "email",
        }
    }

    /// The kind of this name.
    pub fn named(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.code() == code)
    }

    /// The name people read (source text).
    pub fn title(self) -> &'static str {
        match self {
            Self::Number => "客户编号",
            Self::Name => "客户名称",
            Self::Phone => "联系电话",
            Self::CreditCode => "统一社会信用代码",
            Self::IdNumber => "身份证号",
            Self::Email => "电子邮箱",
        }
    }
}

/// The normalised key of a value, `None` when there is nothing to compare.
pub fn key_of(keyed: Keyed, kind: Kind, value: &str) -> Option<String> {
    let key = match keyed {
        Keyed::Number => value.trim().to_uppercase(),
        Keyed::Name if kind == Kind::Organisation => normal::company_key(value),
        Keyed::Name => normal::name_key(value),
        Keyed::Phone => normal::phone_key(value),
        Keyed::CreditCode | Keyed::IdNumber => value.trim().to_uppercase(),
        Keyed::Email => normal::mail_key(value),
    };
    (!key.is_empty()).then_some(key)
}

/// Keys of a customer's own values; contacts add their phones.
pub(super) fn keys(kind: Kind, number: &str, values: &Values, phones: &[String]) -> Vec<(Keyed, String)> {
    let mut found = Vec::with_capacity(6);
    let mut add = |keyed: Keyed, value: &str| {
        if let Some(key) = key_of(keyed, kind, value)
            && !found.iter().any(|(k, v)| *k == keyed && *v == key)
        {
            found.push((keyed, key));
        }
    };
    add(Keyed::Number, number);
    add(Keyed::Name, &values[Field::Name]);
    add(Keyed::CreditCode, &values[Field::CreditCode]);
    add(Keyed::IdNumber, &values[Field::IdNumber]);
    add(Keyed::Email, &values[Field::Email]);
    add(Keyed::Phone, &values[Field::Phone]);
    add(Keyed::Phone, &values[Field::Landline]);
    for phone in phones {
        add(Keyed::Phone, phone);
    }
    found
}

/// Writes keys and search document of a customer that has nothing hanging on it yet.
pub(super) fn index_new(tx: &mut Tx<'_>, customer: &Customer) -> store::Result<()> {
    write_keys(tx, customer, &[])?;
    search::put(tx, customer.id.0, &document(customer))
}

/// Writes keys and search document anew, with contacts and assets. Call it after any of them changed.
pub fn reindex(tx: &mut Tx<'_>, customer: &Customer) -> store::Result<()> {
    let contacts: Vec<(String, String, String)> = tx.rows(
        "SELECT name, phone, landline FROM contacts WHERE customer_id = $1 AND deleted_at IS NULL ORDER BY id LIMIT 500",
        &[customer.id.into()],
    )?;
    let assets: Vec<(String, String, serde_json::Value)> = tx.rows(
        "SELECT name, code, details FROM assets WHERE customer_id = $1 AND deleted_at IS NULL ORDER BY id LIMIT 500",
        &[customer.id.into()],
    )?;
    let phones: Vec<String> = contacts.iter().flat_map(|(_, p, l)| [p.clone(), l.clone()]).collect();
    tx.exec("DELETE FROM customer_keys WHERE customer_id = $1", &[customer.id.into()])?;
    write_keys(tx, customer, &phones)?;
    let mut document = document(customer);
    for (name, phone, landline) in &contacts {
        document = document.piece(name).piece(phone).piece(landline);
    }
    for (name, code, details) in &assets {
        document = document.piece(code).piece(name);
        for key in ["vin", "serial"] {
            document = document.piece(details.get(key).and_then(|v| v.as_str()).unwrap_or_default());
        }
    }
    search::put(tx, customer.id.0, &document)
}

fn document(customer: &Customer) -> Document {
    search::tagged(words(customer), customer.owner_id, customer.unit_id)
}

/// What a customer's document says, without the tags of whose it is.
pub(super) fn words(customer: &Customer) -> Document {
    let mut document = Document::new();
    for field in [Field::Name, Field::ShortName] {
        document = document.piece(customer.get(field));
    }
    document = document.piece(&customer.number);
    for field in
        [Field::Phone, Field::Landline, Field::CreditCode, Field::IdNumber, Field::Email, Field::Wechat]
    {
        document = document.piece(customer.get(field));
    }
    document
}

fn write_keys(tx: &mut Tx<'_>, customer: &Customer, phones: &[String]) -> store::Result<()> {
    let rows: Vec<Vec<Value<'_>>> = keys(customer.kind, &customer.number, &customer.values, phones)
        .into_iter()
        .map(|(keyed, key)| vec![keyed.code().into(), Value::Owned(key), customer.id.into()])
        .collect();
    tx.insert_rows(
        "INSERT INTO customer_keys (kind, key, customer_id)",
        &rows,
        "ON CONFLICT (kind, key, customer_id) DO NOTHING",
    )
    .map(drop)
}

/// Living customers with the same key, oldest first, at most `limit`; only those the actor may read.
pub fn find_by_keys(
    conn: &mut Conn<'_>,
    actor: &Actor,
    keyed: Keyed,
    key: &str,
    limit: i64,
) -> store::Result<Vec<CustomerId>> {
    let readable = access::readable_sql(actor, Object::Customer);
    let found: Vec<(CustomerId,)> = conn.rows(
        &format!(
            "SELECT c.id FROM customer_keys k JOIN customers c ON c.id = k.customer_id
             WHERE k.kind = $1 AND k.key = $2 AND c.deleted_at IS NULL AND {readable} ORDER BY c.id LIMIT $3"
        ),
        &[keyed.code().into(), key.into(), limit.into()],
    )?;
    Ok(found.into_iter().map(|(id,)| id).collect())
}

/// Whether a living customer the actor may not read has this key. All he learns is that there may be one.
pub fn has_hidden_by_key(conn: &mut Conn<'_>, actor: &Actor, keyed: Keyed, key: &str) -> store::Result<bool> {
    if actor.sees_all_customers() {
        return Ok(false);
    }
    let readable = access::readable_sql(actor, Object::Customer);
    let found: Option<i64> = conn.value(
        &format!(
            "SELECT c.id FROM customer_keys k JOIN customers c ON c.id = k.customer_id
             WHERE k.kind = $1 AND k.key = $2 AND c.deleted_at IS NULL
               AND NOT COALESCE({readable}, FALSE) LIMIT 1"
        ),
        &[keyed.code().into(), key.into()],
    )?;
    Ok(found.is_some())
}

/// `find_by_keys` for many keys of one kind: key to customers, oldest first, at most 20 each.
pub fn find_many_by_keys(
    conn: &mut Conn<'_>,
    actor: &Actor,
    keyed: Keyed,
    wanted: &[&str],
) -> store::Result<HashMap<String, Vec<CustomerId>>> {
    // One statement text whatever the number, so that it stays prepared.
    const AT_ONCE: usize = 50;
    const MOST: usize = 20;
    let readable = access::readable_sql(actor, Object::Customer);
    let places: Vec<String> = (2..2 + AT_ONCE).map(|n| format!("${n}")).collect();
    let sql = format!(
        "SELECT k.key, c.id FROM customer_keys k JOIN customers c ON c.id = k.customer_id
         WHERE k.kind = $1 AND k.key IN ({}) AND c.deleted_at IS NULL AND {readable} ORDER BY k.key, c.id",
        places.join(", ")
    );
    let mut found: HashMap<String, Vec<CustomerId>> = HashMap::new();
    for chunk in wanted.chunks(AT_ONCE) {
        let mut params: Vec<Value<'_>> = vec![keyed.code().into()];
        params.extend((0..AT_ONCE).map(|n| Value::Text(chunk[n.min(chunk.len() - 1)])));
        conn.each(&sql, &params, |row| {
            let ids = found.entry(row.get(0)?).or_default();
            if ids.len() < MOST {
                ids.push(row.get(1)?);
            }
            Ok::<_, store::Error>(ControlFlow::Continue(()))
        })?;
    }
    Ok(found)
}

/// Customers handled in one transaction while the search index is built anew.
const CHUNK: i64 = 500;

/// Makes search documents anew when this program makes them otherwise than the one that wrote them; answers how many.
/// Called before anything is served.
pub fn refresh_index(db: &store::Db) -> Result<Option<i64>, crate::error::AppError> {
    if db.read_blocking(search::is_current)? { Ok(None) } else { rebuild_index(db).map(Some) }
}

/// Builds search documents and keys of every living customer anew; answers how many. For `kehu db copy`.
pub fn rebuild_index(db: &store::Db) -> Result<i64, crate::error::AppError> {
    let (mut last, mut done) = (0_i64, 0_i64);
    loop {
        let chunk = db.write_blocking(move |tx| {
            let sql = format!(
                "SELECT {} FROM customers c WHERE c.id > $1 AND c.deleted_at IS NULL ORDER BY c.id LIMIT $2",
                *super::COLUMNS
            );
            let customers: Vec<Customer> = tx.rows(&sql, &[last.into(), CHUNK.into()])?;
            for customer in &customers {
                reindex(tx, customer)?;
            }
            Ok::<_, crate::error::AppError>((customers.len() as i64, customers.last().map(|c| c.id.0)))
        })?;
        done += chunk.0;
        match chunk.1 {
            Some(id) => last = id,
            None => {
                db.write_blocking(search::note_current)?;
                return Ok(done);
            }
        }
    }
}
