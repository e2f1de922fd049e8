//! Customers named by their whole name: a request to be shown a customer names one its writer cannot see. Whoever does
//! not know the name learns none.

use policy::model::{Field, Form};
use policy::value::{Kind, Ty, Value};
use store::{Conn, Tx};

use super::Ground;
use super::act::openable;
use crate::access::{Actor, Object, Verb};
use crate::error::{AppError, FieldError};
use crate::ids::CustomerId;
use crate::{customers, text};

fn is_named(field: &Field) -> bool {
    field.by_name && field.ty == Ty::Ref(Kind::Customer)
}

/// Whether a form takes the whole name of a customer its writer cannot see.
pub(super) fn takes_names(form: &Form) -> bool {
    form.fields.iter().any(is_named)
}

/// For whoever may open a form that takes names: the customers of this whole name, at most two; for others none.
pub fn find_for(
    conn: &mut Conn<'_>,
    actor: &Actor,
    ground: &Ground,
    said: &str,
) -> Result<Vec<CustomerId>, AppError> {
    let may = openable(conn, actor, ground)?.iter().any(|(_, _, forms)| forms.iter().any(|f| takes_names(f)));
    if may { Ok(find(conn, actor, said)?) } else { Ok(Vec::new()) }
}

/// Puts the customers in the place of their names, in the fields that allow it, and says in which. What is the id of a
/// customer the actor may read stays as it is.
pub(super) fn resolve(
    tx: &mut Tx<'_>,
    actor: &Actor,
    form: &Form,
    values: &mut [(usize, Value)],
) -> Result<Vec<usize>, AppError> {
    let (mut named, mut errors) = (Vec::new(), Vec::new());
    for (place, value) in values {
        let Some(field) = form.fields.get(*place).filter(|f| is_named(f)) else { continue };
        let Some(said) = value.as_text().map(str::to_owned) else { continue };
        let id: Option<CustomerId> = said.parse().ok();
        if let Some(id) = id
            && customers::load_for(tx, actor, Object::Customer, Verb::Read, id).is_ok()
        {
            continue;
        }
        match find(tx, actor, &said)?.as_slice() {
            [id] => {
                *value = Value::text(id.to_string());
                named.push(*place);
            }
            [] => errors.push(FieldError::new(
                field.id.clone(),
                text!("没有全名是“{}”的客户，请核对", said.chars().take(60).collect::<String>()),
            )),
            _ => errors.push(FieldError::new(
                field.id.clone(),
                text!(
                    "有几位客户都叫“{}”，请填客户编号，写在全名后面，中间空一格",
                    said.chars().take(60).collect::<String>()
                ),
            )),
        }
    }
    crate::input::refuse(errors)?;
    Ok(named)
}

/// The customers of this whole name, at most two, without those the actor must keep out of. Of several the number behind
/// the name tells which; a number alone names nobody, for numbers can be counted through.
fn find(conn: &mut Conn<'_>, actor: &Actor, said: &str) -> store::Result<Vec<CustomerId>> {
    let said = hanzi::normal::visible(said);
    if said.is_empty() || said.chars().count() > 250 {
        return Ok(Vec::new());
    }
    let mut found = called(conn, &said)?;
    if found.is_empty()
        && let Some((name, number)) = said.rsplit_once(' ')
    {
        found = called(conn, name.trim())?;
        found.retain(|(_, known)| known.eq_ignore_ascii_case(number));
    }
    Ok(allowed(actor, found))
}

/// The customers of this name, each with its number.
fn called(conn: &mut Conn<'_>, name: &str) -> store::Result<Vec<(CustomerId, String)>> {
    // Names of one reading stand together in the index; how their letters are written makes no difference.
    let reading: String = hanzi::readings::full(name).chars().take(60).collect();
    let alike: Vec<(CustomerId, String, String)> = conn.rows(
        "SELECT id, name, number FROM customers WHERE name_sort >= $1 AND name_sort < $2 AND deleted_at IS NULL
         ORDER BY name_sort, id LIMIT 1000",
        &[format!("{reading} ").into(), format!("{reading}!").into()],
    )?;
    let wanted = name.to_lowercase();
    let same = alike.into_iter().filter(|(_, name, _)| name.to_lowercase() == wanted);
    Ok(same.map(|(id, _, number)| (id, number)).collect())
}

fn allowed(actor: &Actor, found: Vec<(CustomerId, String)>) -> Vec<CustomerId> {
    found.into_iter().map(|(id, _)| id).filter(|id| !actor.rights.excluded.contains(&id.0)).take(2).collect()
}
