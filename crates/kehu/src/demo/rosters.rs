//! The demonstration's duty rosters: this week and the next published, the week after still a draft; one gap, one
//! absence, one swap that waits. People are named by their place in [`super::generate::PEOPLE`].

use jiff::ToSpan;
use jiff::civil::Date;
use store::Tx;

use super::generate::organisation::UNITS;
use crate::access::Actor;
use crate::catalogue::Catalogue;
use crate::clock::{Millis, Zone};
use crate::error::AppError;
use crate::ids::{PersonId, UnitId};
use crate::rosters::{
    self, Hours, NewAbsence, NewSwap, Place, RosterDraft, Rotation, Skill, Span, SwapRule, Which,
};

/// A roster: its unit, name, note, usual hours, days, skill, rest, how shifts are swapped, who takes turns, in which
/// shifts, and for how many days.
struct DemoRoster {
    unit: usize,
    name: &'static str,
    note: &'static str,
    opens: &'static str,
    closes: &'static str,
    weekdays: &'static str,
    skill: &'static str,
    rest_hours: i64,
    swaps: SwapRule,
    people: &'static [usize],
    patterns: &'static [&'static str],
    turn_days: i64,
}

const ROSTERS: [DemoRoster; 5] = [
    DemoRoster {
        unit: 8,
        name: "展厅前台接待",
        note: "说不出销售顾问姓名的来电、来访客人由当班人员接待",
        opens: "09:00",
        closes: "18:00",
        weekdays: "1234567",
        skill: "",
        rest_hours: 0,
        swaps: SwapRule::Free,
        people: &[25, 3, 23, 4],
        patterns: &["09:00-18:00"],
        turn_days: 1,
    },
    DemoRoster {
        unit: 11,
        name: "管理处夜间值班",
        note: "巡更、来电登记；紧急报修转工程值班",
        opens: "18:00",
        closes: "08:00",
        weekdays: "1234567",
        skill: "",
        rest_hours: 10,
        swaps: SwapRule::Approve,
        people: &[31, 32, 6],
        patterns: &["18:00-08:00"],
        turn_days: 1,
    },
    DemoRoster {
        unit: 14,
        name: "工程值班",
        note: "三个管理处的紧急维修",
        opens: "08:00",
        closes: "20:00",
        weekdays: "1234567",
        skill: "low_voltage",
        rest_hours: 0,
        swaps: SwapRule::Approve,
        people: &[38, 39, 37],
        patterns: &["08:00-20:00"],
        turn_days: 1,
    },
    DemoRoster {
        unit: 16,
        name: "抢修 24 小时值班",
        note: "接到报修后 45 分钟内到达现场",
        opens: "00:00",
        closes: "24:00",
        weekdays: "1234567",
        skill: "",
        rest_hours: 8,
        swaps: SwapRule::Approve,
        people: &[41, 42, 5],
        patterns: &["08:00-20:00", "20:00-08:00"],
        turn_days: 1,
    },
    DemoRoster {
        unit: 4,
        name: "客服热线",
        note: "早晚两班",
        opens: "08:00",
        closes: "20:00",
        weekdays: "1234567",
        skill: "communication",
        rest_hours: 10,
        swaps: SwapRule::Approve,
        people: &[12, 13, 15, 14],
        patterns: &["08:00-14:00", "14:00-20:00"],
        turn_days: 1,
    },
];

/// Person, skill, level, score.
const SKILLS: [(usize, &str, i64, &str); 13] = [
    (12, "communication", 4, "91 分"),
    (12, "typing", 4, "86 字/分"),
    (12, "written_expression", 3, "82 分"),
    (13, "communication", 5, "95 分"),
    (13, "typing", 3, "64 字/分"),
    (13, "complaint_handling", 5, ""),
    (14, "communication", 3, "80 分"),
    (15, "communication", 3, "78 分"),
    (15, "typing", 5, "110 字/分"),
    (37, "low_voltage", 5, ""),
    (38, "low_voltage", 4, ""),
    (39, "low_voltage", 3, ""),
    (39, "lift_repair", 5, ""),
];

/// Days since the week's Monday.
const fn week(n: i64) -> i64 {
    n * 7
}

/// Makes the rosters around `now`. `actors` are the people in their order.
pub(super) fn add_rosters(
    tx: &mut Tx<'_>,
    catalogue: &Catalogue,
    actors: &[Actor],
    zone: &Zone,
    now: Millis,
) -> Result<(), AppError> {
    let by = Actor::command_line();
    let person = |n: usize| actors[n].person_id;
    let today = zone.date(now);
    let monday = today.saturating_sub(i64::from(today.weekday().to_monday_zero_offset()).days());
    let units = units(tx)?;
    add_skills(tx, &by, catalogue, &person, today, now)?;
    for (n, demo) in ROSTERS.iter().enumerate() {
        let text = |t: &str| Some(t.to_owned());
        let draft = RosterDraft {
            unit_id: Some(units[demo.unit]),
            name: text(demo.name),
            note: text(demo.note),
            opens: text(demo.opens),
            closes: text(demo.closes),
            weekdays: text(demo.weekdays),
            is_active: Some(true),
            skill: text(demo.skill),
            rest_hours: Some(demo.rest_hours),
            swaps: text(demo.swaps.code()),
        };
        let roster = rosters::create(tx, &by, catalogue, &draft, now)?;
        // From last night on, so that whoever is on duty in the small hours of a Monday is known.
        let rotation = Rotation {
            people: demo.people.iter().map(|p| person(*p)).collect(),
            patterns: demo.patterns.iter().filter_map(|p| Hours::parse(p)).collect(),
            first: monday.saturating_sub(1.day()),
            last: monday.saturating_add((week(3) - 1).days()),
            weekdays: demo.weekdays.to_owned(),
            turn_days: demo.turn_days,
        };
        rosters::fill(tx, &by, roster.id, &rotation.plan(zone), zone, now)?;
        let published_until = monday.saturating_add((week(2) - 1).days());
        let gap = monday.saturating_add((week(1) + 3).days());
        if n == 0 {
            // Nobody receives on Thursday of next week.
            let (from, until) = zone.day(gap);
            let there =
                rosters::shifts(tx, &Place::Roster(roster.id), Span::new(from, until), Which::Planned)?;
            for shift in there {
                rosters::remove_shift(tx, &by, shift.id, None, now)?;
            }
        }
        rosters::publish(tx, &by, roster.id, monday.saturating_sub(1.day()), published_until, zone, now)?;
        match n {
            1 => ask(tx, catalogue, actors, roster.id, zone, now)?,
            // Ill on a day he is on duty next week: the planner sees the conflict.
            3 => away(tx, &by, catalogue, person(42), roster.id, monday, zone, now)?,
            _ => {}
        }
    }
    Ok(())
}

/// The units in the order of [`UNITS`].
fn units(tx: &mut Tx<'_>) -> Result<Vec<UnitId>, AppError> {
    let all: Vec<(UnitId, String)> = tx.rows("SELECT id, name FROM units", &[])?;
    let id = |name: &str| all.iter().find(|(_, n)| n == name).map(|(id, _)| *id);
    UNITS
        .iter()
        .map(|u| id(u.1).ok_or_else(|| AppError::Internal(format!("demonstration: no unit {}", u.1))))
        .collect()
}

fn add_skills(
    tx: &mut Tx<'_>,
    by: &Actor,
    catalogue: &Catalogue,
    person: &impl Fn(usize) -> PersonId,
    today: Date,
    now: Millis,
) -> Result<(), AppError> {
    let assessed_on = today.saturating_sub(40.days()).to_string();
    for (n, skill, level, score) in SKILLS {
        let skill = Skill {
            person_id: person(n),
            skill: skill.to_owned(),
            level,
            valid_until: String::new(),
            note: String::new(),
            score: score.to_owned(),
            assessed_on: assessed_on.clone(),
            // The manager of customer service assesses the agents, the director of engineering his own.
            assessed_by: Some(person(if n < 20 { 11 } else { 37 })),
        };
        rosters::set_skill(tx, by, catalogue, &skill, now)?;
    }
    Ok(())
}

/// One of the night watch asks a colleague to take his next shift but one.
fn ask(
    tx: &mut Tx<'_>,
    catalogue: &Catalogue,
    actors: &[Actor],
    roster: crate::ids::RosterId,
    zone: &Zone,
    now: Millis,
) -> Result<(), AppError> {
    let ahead = Span::new(now, now + 14 * 24 * 3_600_000);
    let coming = rosters::shifts(tx, &Place::Roster(roster), ahead, Which::InForce)?;
    let (from, to) = (&actors[31], &actors[6]);
    let own = coming.iter().filter(|s| s.person_id == from.person_id && s.span.starts_at > now);
    for shift in own {
        let new = NewSwap {
            shift_id: shift.id,
            to_id: to.person_id,
            other_shift_id: None,
            note: "孩子学校开家长会，想请黄主管代一个夜班".to_owned(),
        };
        // Between two nights of his own there may not be the rest the roster asks for: then the next one.
        match rosters::ask_swap(tx, from, catalogue, &new, zone, now) {
            Err(AppError::Conflict(_)) => {}
            done => return done.map(drop),
        }
    }
    Ok(())
}

/// Enters an absence on the first day of next week that somebody is on duty.
#[expect(clippy::too_many_arguments, reason = "who, where, when")]
fn away(
    tx: &mut Tx<'_>,
    by: &Actor,
    catalogue: &Catalogue,
    person: PersonId,
    roster: crate::ids::RosterId,
    monday: Date,
    zone: &Zone,
    now: Millis,
) -> Result<(), AppError> {
    let next = Span::new(
        zone.day(monday.saturating_add(week(1).days())).0,
        zone.day(monday.saturating_add(week(2).days())).0,
    );
    let on = rosters::shifts(tx, &Place::Roster(roster), next, Which::Planned)?;
    let Some(shift) = on.iter().find(|s| s.person_id == person) else { return Ok(()) };
    let new = NewAbsence {
        person_id: person,
        kind: "sick_leave".to_owned(),
        span: shift.span,
        note: "复查".to_owned(),
    };
    rosters::add_absence(tx, by, catalogue, &new, zone, now).map(drop)
}
