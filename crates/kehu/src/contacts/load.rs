//! Reading contacts for an actor.

use store::{Conn, FromRow, Row};

use super::model::{Contact, Draft, FIELDS};
use crate::access::{self, Actor, Facts, FieldRule, Fields, Object, Verb};
use crate::customers;
use crate::error::{AppError, FieldError};
use crate::ids::{ContactId, CustomerId};
use crate::input::{check_query, like_anywhere};
use crate::query::{Conditions, Cursor, SortKey, behind, order_by};
use crate::{search, text};

const COLUMNS: &str = "t.id, t.customer_id, t.name, t.title, t.department, t.phone, t.landline, t.email, t.wechat, \
                       t.birthday, t.remark, t.is_primary, t.version, t.created_at, t.created_by, t.updated_at";

impl FromRow for Contact {
    fn from_row(row: &Row<'_>) -> store::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            customer_id: row.get(1)?,
            name: row.get(2)?,
            title: row.get(3)?,
            department: row.get(4)?,
            phone: row.get(5)?,
            landline: row.get(6)?,
            email: row.get(7)?,
            wechat: row.get(8)?,
            birthday: row.get(9)?,
            remark: row.get(10)?,
            is_primary: row.get(11)?,
            version: row.get(12)?,
            created_at: row.get(13)?,
            created_by: row.get(14)?,
            updated_at: row.get(15)?,
        })
    }
}

/// A contact on whose customer the actor may do `verb`; to be read, as he may see it, else whole.
pub fn load(conn: &mut Conn<'_>, actor: &Actor, verb: Verb, id: ContactId) -> Result<Contact, AppError> {
    load_from(conn, actor, verb, id, "t.deleted_at IS NULL")
}

/// A contact that was taken away, as [`load`].
pub(super) fn load_removed(conn: &mut Conn<'_>, actor: &Actor, id: ContactId) -> Result<Contact, AppError> {
    load_from(conn, actor, Verb::Update, id, "t.deleted_at IS NOT NULL")
}

fn load_from(
    conn: &mut Conn<'_>,
    actor: &Actor,
    verb: Verb,
    id: ContactId,
    state: &str,
) -> Result<Contact, AppError> {
    let sql = format!("SELECT {COLUMNS} FROM contacts t WHERE t.id = $1 AND {state}");
    let mut contact: Contact = conn.row(&sql, &[id.into()])?.ok_or(AppError::NotFound)?;
    let fields = customers::require(conn, actor, Object::Contact, verb, contact.customer_id)?;
    if verb == Verb::Read {
        contact.withhold(&fields);
    }
    Ok(contact)
}

/// The contacts of a customer the actor may read, the primary one first.
pub fn of_customer(
    conn: &mut Conn<'_>,
    actor: &Actor,
    customer: CustomerId,
) -> Result<Vec<Contact>, AppError> {
    let fields = customers::require(conn, actor, Object::Contact, Verb::Read, customer)?;
    let sql = format!(
        "SELECT {COLUMNS} FROM contacts t WHERE t.customer_id = $1 AND t.deleted_at IS NULL
         ORDER BY t.is_primary DESC, t.id LIMIT 500"
    );
    let mut contacts: Vec<Contact> = conn.rows(&sql, &[customer.into()])?;
    contacts.iter_mut().for_each(|contact| contact.withhold(&fields));
    Ok(contacts)
}

impl Contact {
    /// Takes away and shortens what these rules withhold.
    pub(super) fn withhold(&mut self, fields: &Fields<'_>) {
        if fields.is_open() {
            return;
        }
        for (key, value) in [
            ("name", &mut self.name),
            ("title", &mut self.title),
            ("department", &mut self.department),
            ("phone", &mut self.phone),
            ("landline", &mut self.landline),
            ("email", &mut self.email),
            ("wechat", &mut self.wechat),
            ("birthday", &mut self.birthday),
            ("remark", &mut self.remark),
        ] {
            let rule = fields.rule(key);
            if rule < FieldRule::Read {
                *value = customers::shown_value(rule, key, value);
            }
        }
    }
}

impl Contact {
    /// As these rules let it be seen.
    pub(super) fn withheld(mut self, fields: &Fields<'_>) -> Self {
        self.withhold(fields);
        self
    }

    /// Takes out of a draft what is sent back as it was shown; any other change of a withheld field is an error.
    pub(super) fn refuse_withheld(
        &self,
        fields: &Fields<'_>,
        draft: &mut Draft,
    ) -> Result<(), Vec<FieldError>> {
        if fields.is_open() {
            return Ok(());
        }
        let seen = self.clone().withheld(fields);
        let mut errors = Vec::new();
        for (spec, shown) in FIELDS.iter().zip(seen.texts()) {
            if fields.rule(spec.key) == FieldRule::Edit {
                continue;
            }
            if draft.values.remove(spec.key).is_some_and(|value| value.trim() != shown) {
                errors.push(FieldError::new(
                    spec.key,
                    text!("您的角色不能修改“{}”", crate::i18n::word(spec.zh)),
                ));
            }
        }
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }
}

/// A contact the actor may change, as he may see it: for forms.
pub(super) fn load_to_edit(conn: &mut Conn<'_>, actor: &Actor, id: ContactId) -> Result<Contact, AppError> {
    load(conn, actor, Verb::Update, id)?;
    load(conn, actor, Verb::Read, id)
}

/// The order of lists.
const ORDER: [SortKey; 1] =
    [SortKey { name: "updated_at", column: "t.updated_at", is_integer: true, descending: true }];

/// What a list asks for.
#[derive(Clone, Debug, Default)]
pub struct ListQuery {
    /// Only those of this customer.
    pub customer: Option<CustomerId>,
    /// Part of a name or number.
    pub q: String,
    /// Behind this place.
    pub after: Option<String>,
    /// How many, 1–200.
    pub limit: usize,
}

/// The contacts the actor may read, newest change first, and the place of the next page.
pub fn list(
    conn: &mut Conn<'_>,
    actor: &Actor,
    query: &ListQuery,
) -> Result<(Vec<Contact>, Option<String>), AppError> {
    check_query(&query.q)?;
    let mut conditions = Conditions::default();
    conditions.and("t.deleted_at IS NULL AND c.deleted_at IS NULL");
    conditions.and(access::readable_sql(actor, Object::Contact));
    if let Some(customer) = query.customer {
        customers::require(conn, actor, Object::Contact, Verb::Read, customer)?;
        conditions.equal("t.customer_id", customer.0);
    }
    if !query.q.trim().is_empty() {
        // The search index knows names and numbers of contacts: it narrows before the texts are compared.
        let Some(text) = search::match_text(conn.engine(), &query.q) else {
            return Ok((Vec::new(), None));
        };
        let place = conditions.bind(text);
        conditions.and(format!(
            "c.id IN (SELECT {} FROM search_docs WHERE {})",
            search::id_column(conn.engine()),
            search::matches_sql(conn.engine(), &place)
        ));
        let like = conditions.bind(like_anywhere(&query.q));
        // By what is withheld from him anywhere, nothing is found.
        let columns = ["name", "phone", "landline"]
            .into_iter()
            .filter(|c| actor.rights.narrowest(Object::Contact, c) >= FieldRule::Read);
        let any: Vec<String> = columns.map(|c| format!("LOWER(t.{c}) LIKE {like} ESCAPE '\\'")).collect();
        if any.is_empty() {
            return Ok((Vec::new(), None));
        }
        conditions.and(format!("({})", any.join(" OR ")));
    }
    if let Some(after) = &query.after {
        behind(&mut conditions, &ORDER, "t.id", &Cursor::decode(after, &ORDER)?);
    }
    let limit = conditions.bind(query.limit as i64 + 1);
    let sql = format!(
        "SELECT {COLUMNS} FROM contacts t JOIN customers c ON c.id = t.customer_id WHERE {} ORDER BY {} LIMIT {limit}",
        conditions.sql(),
        order_by(&ORDER, "t.id", false)
    );
    let mut contacts: Vec<Contact> = conn.rows(&sql, &conditions.params)?;
    let has_more = contacts.len() > query.limit;
    contacts.truncate(query.limit);
    if actor.rights.has_field_rules(Object::Contact) {
        let owners = customers::shown(conn, actor, contacts.iter().map(|c| c.customer_id))?;
        for contact in &mut contacts {
            let facts = owners.get(&contact.customer_id).map_or_else(Facts::default, |c| c.facts());
            contact.withhold(&actor.rights.fields(Object::Contact, &facts));
        }
    }
    let next = contacts
        .last()
        .filter(|_| has_more)
        .map(|last| Cursor::new(vec![last.updated_at.into()], last.id.0, false).encode());
    Ok((contacts, next))
}
