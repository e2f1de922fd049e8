//! What the records in a case are called, for one reader: of what he may not see he learns nothing.

use std::collections::HashMap;

use policy::case::Case as State;
use policy::model::Form;
use policy::value::{Kind, Value};
use store::Conn;

use crate::access::{Actor, Verb};
use crate::cases::{Ground, load};
use crate::error::AppError;
use crate::files;
use crate::ids::{AssetId, CaseId, ContactId, CustomerId, FileId, PersonId, UnitId};
use crate::web::FormData;
use crate::{assets, contacts, customers};

/// Records looked up for one page at the most.
const MOST: usize = 500;

/// Names by kind and id.
#[derive(Debug, Default)]
pub(super) struct Names(HashMap<(Kind, String), String>);

impl Names {
    /// What a record is called; empty when the reader may not know, or there is none.
    pub fn of(&self, kind: Kind, id: &str) -> &str {
        self.0.get(&(kind, id.to_owned())).map_or("", String::as_str)
    }

    /// With the names of further people.
    pub fn with_people(mut self, ground: &Ground, people: Vec<String>) -> Self {
        for person in people {
            let member = person.parse::<PersonId>().ok().and_then(|id| ground.directory.member(id));
            if let Some(member) = member {
                self.0.insert((Kind::Person, person), member.name.clone());
            }
        }
        self
    }

    /// The names of all that a form's values and what was sent point at.
    pub fn load(
        conn: &mut Conn<'_>,
        actor: &Actor,
        ground: &Ground,
        form: &Form,
        case: Option<&State>,
        data: &FormData,
    ) -> Result<Self, AppError> {
        let mut wanted: Vec<(Kind, String)> = Vec::new();
        if let Some(case) = case {
            for (field, value) in form.fields.iter().zip(&case.values) {
                if let Some(kind) = field.kind.reference() {
                    wanted.extend(value.as_texts().into_iter().map(|id| (kind, id)));
                }
                let Value::List(rows) = value else { continue };
                for row in rows.iter() {
                    let Value::Row(cells) = row else { continue };
                    let columns = field
                        .columns
                        .iter()
                        .filter_map(|column| Some((column.kind.reference()?, cells.get(&column.id)?)));
                    for (kind, cell) in columns {
                        wanted.extend(cell.as_texts().into_iter().map(|id| (kind, id)));
                    }
                }
            }
        }
        for (name, id) in &data.0 {
            let Some(path) = name.strip_prefix("v.") else { continue };
            let parts: Vec<&str> = path.split('.').collect();
            let field = form.fields.iter().find(|field| parts.first() == Some(&field.id.as_str()));
            let kind = field.and_then(|field| match parts.get(2) {
                None => field.kind.reference(),
                Some(column) => field.columns.iter().find(|known| known.id == *column)?.kind.reference(),
            });
            wanted.extend(kind.map(|kind| (kind, id.clone())));
        }
        wanted.sort_unstable();
        wanted.dedup();
        wanted.truncate(MOST);
        let id = case.and_then(|case| case.id.parse().ok());
        Self::of_records(conn, actor, ground, id, wanted)
    }

    /// The names of these records; of files those of this case, and those the reader has just sent.
    pub fn of_records(
        conn: &mut Conn<'_>,
        actor: &Actor,
        ground: &Ground,
        case: Option<CaseId>,
        wanted: Vec<(Kind, String)>,
    ) -> Result<Self, AppError> {
        let ids = wanted.iter().filter(|(kind, _)| *kind == Kind::Customer);
        let ids: Vec<CustomerId> = ids.filter_map(|(_, id)| id.parse().ok()).collect();
        let known = customers::shown(conn, actor, ids)?;
        let mut names = HashMap::new();
        for (kind, id) in wanted {
            let directory = &ground.directory;
            let name = match kind {
                Kind::Person => {
                    id.parse::<PersonId>().ok().and_then(|id| Some(directory.member(id)?.name.clone()))
                }
                Kind::Unit => id.parse::<UnitId>().ok().and_then(|id| Some(directory.unit(id)?.name.clone())),
                Kind::Customer => {
                    id.parse::<CustomerId>().ok().and_then(|id| Some(known.get(&id)?.name().to_owned()))
                }
                Kind::Contact => match id.parse::<ContactId>() {
                    Ok(id) => readable(contacts::load(conn, actor, Verb::Read, id))?.map(|found| found.name),
                    Err(_) => None,
                },
                Kind::Asset => match id.parse::<AssetId>() {
                    Ok(id) => readable(assets::load(conn, actor, Verb::Read, id))?.map(|found| found.name),
                    Err(_) => None,
                },
                Kind::Case => match id.parse::<CaseId>() {
                    Ok(id) => readable(load(conn, actor, ground, id))?.map(|found| found.case.number),
                    Err(_) => None,
                },
                Kind::File => match id.parse::<FileId>() {
                    Ok(id) => files::of_case(conn, id)?
                        .filter(|file| {
                            file.created_by == actor.person_id
                                || case.is_some_and(|case| case.0 == file.object_id)
                        })
                        .map(|file| file.name),
                    Err(_) => None,
                },
            };
            if let Some(name) = name {
                names.insert((kind, id), name);
            }
        }
        Ok(Self(names))
    }
}

/// What the reader may not see is like nothing.
fn readable<T>(found: Result<T, AppError>) -> Result<Option<T>, AppError> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(AppError::NotFound | AppError::Hidden { .. } | AppError::Forbidden(_) | AppError::MustSign) => {
            Ok(None)
        }
        Err(other) => Err(other),
    }
}
