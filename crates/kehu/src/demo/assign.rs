//! Writes the demonstration's processes and the tasks its people gave to each other, dated as they went.

use std::sync::Arc;

use jiff::ToSpan;
use jiff::civil::{Date, time};
use store::Tx;

use super::generate::PEOPLE;
use super::generate::assignments::{ASSIGNMENTS, DemoAssignment, PROCESSES, Then, To, Whose};
use super::load::as_person;
use crate::access::{Actor, Directory};
use crate::assignments::{self, Ground, Priority, Right, Target};
use crate::catalogue::Catalogue;
use crate::clock::Zone;
use crate::error::AppError;
use crate::ids::{CustomerId, PersonId, ProcessId, UnitId};
use crate::org;
use crate::processes::{self, Duty, Party};

/// Everything the demonstration has of them.
pub(super) fn assign(
    tx: &mut Tx<'_>,
    catalogue: &Catalogue,
    (people, units): (&[PersonId], &[UnitId]),
    zone: &Zone,
    today: Date,
) -> Result<(), AppError> {
    let begins = zone.at(today.saturating_sub(60.days()).to_datetime(time(9, 0, 0, 0)));
    let day = today.to_string();
    let directory = Arc::new(Directory::new(org::load_parts(tx, &day, begins)?, &|_| None));
    let mut made: Vec<(&str, ProcessId)> = Vec::new();
    for process in &PROCESSES {
        let duties = process
            .duties
            .iter()
            .filter_map(|(whose, letter)| {
                let party = match whose {
                    Whose::Unit(n) => Party::Unit(*units.get(*n)?),
                    Whose::Post(code) => Party::Post((*code).to_owned()),
                };
                Duty::ALL.into_iter().find(|d| d.letter().starts_with(*letter)).map(|duty| (party, duty))
            })
            .collect();
        let draft = processes::Draft {
            code: Some(process.code.to_owned()),
            title: Some(process.title.to_owned()),
            note: Some(process.note.to_owned()),
            duties: Some(duties),
        };
        let known = (&*directory, catalogue);
        made.push((process.code, processes::create(tx, &Actor::command_line(), known, &draft, begins)?.id));
    }
    for (n, task) in ASSIGNMENTS.iter().enumerate() {
        let on = |days_ago: i64| {
            let day = today.saturating_sub(days_ago.days());
            Ground {
                directory: Arc::clone(&directory),
                zone: zone.clone(),
                now: zone.at(day.to_datetime(time(9, (n * 5) as i8, 0, 0))),
                day: day.to_string(),
            }
        };
        let process = made.iter().find(|(code, _)| *code == task.process).map(|(_, id)| *id);
        give(tx, task, (people, units), process, today, n as i64, &on)?;
    }
    Ok(())
}

fn give(
    tx: &mut Tx<'_>,
    task: &DemoAssignment,
    (people, units): (&[PersonId], &[UnitId]),
    process: Option<ProcessId>,
    today: Date,
    n: i64,
    on: &dyn Fn(i64) -> Ground,
) -> Result<(), AppError> {
    let who = |n: usize| as_person(&PEOPLE[n], people[n]);
    let ground = on(task.given);
    let customer: Option<CustomerId> = match task.has_customer {
        false => None,
        true => {
            let unit = ground.directory.main_unit(people[task.giver], &ground.day);
            tx.value(
                "SELECT id FROM customers WHERE unit_id = $1 AND deleted_at IS NULL ORDER BY id LIMIT 1 OFFSET $2",
                &[unit.into(), n.into()],
            )?
        }
    };
    let draft = assignments::Draft {
        title: task.title.to_owned(),
        body: task.body.to_owned(),
        customer,
        process,
        to: Some(match task.to {
            To::Unit(n) => Target::Unit(units[n]),
            To::Person(n) => Target::Person(people[n]),
        }),
        due: today.saturating_add(task.due.days()).to_string(),
        priority: Priority::ALL[usize::from(task.priority) - 1],
        right: Right::Usual,
    };
    let id = assignments::give(tx, &who(task.giver), &ground, &draft)?.id;
    match &task.then {
        Then::Waits => {}
        Then::Taken(after, by) => drop(assignments::take(tx, &who(*by), &on(task.given - after), id)?),
        Then::Done(after, by, reply) => {
            if matches!(task.to, To::Unit(_)) {
                assignments::take(tx, &who(*by), &on(task.given - 1), id)?;
            }
            assignments::finish(tx, &who(*by), &on(task.given - after), id, reply)?;
        }
        Then::Returned(after, by, reason) => {
            assignments::take(tx, &who(*by), &on(task.given - 1), id)?;
            assignments::send_back(tx, &who(*by), &on(task.given - after), id, reason)?;
        }
    }
    Ok(())
}
