//! Customers named by number or whole name: a request to be shown a customer names one its writer cannot see. Whoever
//! knows neither finds nothing, and is not told whether there is anything.

use policy::model::Form;
use policy::value::{Kind, Ty, Value};
use store::{Conn, Tx};

use crate::access::{Actor, Object, Verb};
use crate::error::{AppError, FieldError};
use crate::ids::CustomerId;
use crate::{customers, text};

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
        let Some(field) = form.fields.get(*place).filter(|f| f.by_name && f.ty == Ty::Ref(Kind::Customer))
        else {
            continue;
        };
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
                text!("没有编号或全名是“{}”的客户，请核对", said.chars().take(60).collect::<String>()),
            )),
            _ => errors.push(FieldError::new(
                field.id.clone(),
                text!("有几位客户都叫“{}”，请填客户编号", said.chars().take(60).collect::<String>()),
            )),
        }
    }
    crate::input::refuse(errors)?;
    Ok(named)
}

/// The customers of this number or whole name, at most two, without those the actor must keep out of.
pub fn find(conn: &mut Conn<'_>, actor: &Actor, said: &str) -> store::Result<Vec<CustomerId>> {
    let said = hanzi::normal::visible(said);
    if said.is_empty() || said.chars().count() > 200 {
        return Ok(Vec::new());
    }
    let by_number: Vec<(CustomerId,)> =
        conn.rows("SELECT id FROM customers WHERE number = $1 AND deleted_at IS NULL", &[(&*said).into()])?;
    if !by_number.is_empty() {
        return Ok(allowed(actor, by_number));
    }
    // Names of one reading stand together in the index; how their letters are written makes no difference.
    let reading = hanzi::readings::full(&said);
    let reading: String = reading.chars().take(60).collect();
    let alike: Vec<(CustomerId, String)> = conn.rows(
        "SELECT id, name FROM customers WHERE name_sort >= $1 AND name_sort < $2 AND deleted_at IS NULL
         ORDER BY name_sort, id LIMIT 1000",
        &[format!("{reading} ").into(), format!("{reading}!").into()],
    )?;
    let wanted = said.to_lowercase();
    let same = alike.into_iter().filter(|(_, name)| name.to_lowercase() == wanted).map(|(id, _)| (id,));
    Ok(allowed(actor, same.collect()))
}

fn allowed(actor: &Actor, found: Vec<(CustomerId,)>) -> Vec<CustomerId> {
    found.into_iter().map(|(id,)| id).filter(|id| !actor.rights.excluded.contains(&id.0)).take(2).collect()
}
