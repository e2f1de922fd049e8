//! 谁会什么: skills and who has them, and the skills of one person.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::{keeper_tabs, name, people_of, person_in, unit_choices};
use crate::app::App;
use crate::contacts::api_parts::path_id;
use crate::error::AppError;
use crate::i18n::Lang;
use crate::ids::{PersonId, UnitId};
use crate::org;
use crate::org::web::part_or_page;
use crate::rosters::{self, Skill};
use crate::web::{
    Choice, FormData, FormErrors, Organiser, Page, QueryData, Shell, Tab, flash, html, redirect,
};

#[derive(Template)]
#[template(path = "rosters/skills.html")]
struct MatrixPage {
    l: Lang,
    shell: Shell,
    tabs: Vec<Tab>,
    rows: Vec<SkillRow>,
    units: Vec<Choice>,
    unit: String,
    levels: Vec<Choice>,
    level: String,
}

struct SkillRow {
    title: String,
    people: Vec<Knows>,
}

struct Knows {
    id: PersonId,
    name: String,
    level: i64,
    is_valid: bool,
    valid_until: String,
    score: String,
}

fn levels(l: Lang) -> Vec<Choice> {
    ["1 学习中", "2 能在指导下做", "3 能独立做", "4 熟练", "5 能教别人"]
        .iter()
        .enumerate()
        .map(|(n, title)| Choice { value: (n + 1).to_string(), label: l.t(title).to_owned() })
        .collect()
}

pub(super) async fn matrix(
    State(app): State<App>,
    Organiser(_): Organiser,
    page: Page,
    QueryData(asked): QueryData,
) -> Result<Response, AppError> {
    let (l, today) = (page.l, app.today().to_string());
    let (directory, catalogue) = (app.directory().await?, app.catalogue().await?);
    let all = app.db.read(rosters::all_skills).await?;
    let unit: Option<UnitId> = asked.get("unit").parse().ok();
    let of_unit = unit.map(|u| people_of(&directory, u, &today));
    let least: i64 = asked.get("level").parse().unwrap_or(1);
    let is_shown = |s: &&Skill| {
        s.level >= least
            && directory.member(s.person_id).is_some_and(|m| m.is_active)
            && of_unit.as_ref().is_none_or(|people| people.contains(&s.person_id))
    };
    let dictionary = catalogue.dictionary("skill");
    let rows = dictionary
        .entries
        .iter()
        .map(|entry| SkillRow {
            title: entry.title(l).to_owned(),
            people: all
                .iter()
                .filter(|s| s.skill == entry.code)
                .filter(is_shown)
                .map(|s| Knows {
                    id: s.person_id,
                    name: name(&directory, s.person_id),
                    level: s.level,
                    is_valid: s.is_valid(&today),
                    valid_until: s.valid_until.clone(),
                    score: s.score.clone(),
                })
                .collect(),
        })
        .collect();
    html(&MatrixPage {
        l,
        shell: page.shell(&[
            ("系统管理", "/admin/people"),
            ("代理与专长", "/admin/delegations"),
            ("谁会什么", ""),
        ]),
        tabs: keeper_tabs(l, "/admin/delegations/skills"),
        rows,
        units: unit_choices(&directory),
        unit: asked.get("unit").to_owned(),
        levels: levels(l),
        level: asked.get("level").to_owned(),
    })
}

#[derive(Template)]
#[template(path = "rosters/person_skills.html", blocks = ["card"])]
struct PersonSkills {
    l: Lang,
    shell: Shell,
    id: PersonId,
    name: String,
    rows: Vec<OwnSkill>,
    skills: Vec<Choice>,
    levels: Vec<Choice>,
    assessor_shown: String,
    form: FormData,
    errors: FormErrors,
}

struct OwnSkill {
    code: String,
    title: String,
    level: String,
    valid_until: String,
    is_valid: bool,
    note: String,
    score: String,
    /// When it was assessed and by whom, in words.
    assessed: String,
}

async fn page_of(app: &App, page: &Page, id: PersonId, form: FormData) -> Result<PersonSkills, AppError> {
    let (l, today) = (page.l, app.today().to_string());
    let catalogue = app.catalogue().await?;
    let (person, all) = app
        .db
        .read(move |conn| {
            let person = org::load_person(conn, id)?.ok_or(AppError::NotFound)?;
            Ok::<_, AppError>((person, rosters::skills_of(conn, id)?))
        })
        .await?;
    let dictionary = catalogue.dictionary("skill");
    let levels = levels(l);
    let title_of = |level: i64| {
        levels.iter().find(|c| c.value == level.to_string()).map_or_else(String::new, |c| c.label.clone())
    };
    let directory = app.directory().await?;
    let assessed = |s: &Skill| {
        let by = s.assessed_by.map_or_else(String::new, |p| name(&directory, p));
        match (s.assessed_on.is_empty(), by.is_empty()) {
            (true, true) => String::new(),
            (false, true) => l.f("{} 评定", &[&s.assessed_on]),
            (true, false) => l.f("由 {} 评定", &[&by]),
            (false, false) => l.f("{} 由 {} 评定", &[&s.assessed_on, &by]),
        }
    };
    let rows = all
        .into_iter()
        .map(|s| OwnSkill {
            assessed: assessed(&s),
            score: s.score.clone(),
            title: dictionary.title(&s.skill, l).to_owned(),
            level: title_of(s.level),
            is_valid: s.is_valid(&today),
            code: s.skill,
            valid_until: s.valid_until,
            note: s.note,
        })
        .collect();
    Ok(PersonSkills {
        l,
        shell: page.shell(&[
            ("系统管理", "/admin/people"),
            ("人员", "/admin/people"),
            (&person.name, &format!("/admin/people/{id}")),
            ("专长", ""),
        ]),
        id,
        rows,
        skills: dictionary
            .active()
            .map(|e| Choice { value: e.code.clone(), label: e.title(l).to_owned() })
            .collect(),
        name: person.name,
        levels,
        assessor_shown: form
            .get("assessed_by")
            .parse()
            .map_or_else(|_| String::new(), |p| name(&directory, p)),
        form,
        errors: FormErrors::default(),
    })
}

pub(super) async fn of_person(
    State(app): State<App>,
    Organiser(actor): Organiser,
    page: Page,
    Path(id): Path<String>,
) -> Result<Response, AppError> {
    let form = FormData(vec![
        ("assessed_on".to_owned(), app.today().to_string()),
        ("assessed_by".to_owned(), actor.person_id.to_string()),
    ]);
    let card = page_of(&app, &page, path_id(&id)?, form).await?;
    part_or_page(page.is_partial, card.as_card(), &card)
}

pub(super) async fn set(
    State(app): State<App>,
    Organiser(actor): Organiser,
    page: Page,
    Path(id): Path<String>,
    form: FormData,
) -> Result<Response, AppError> {
    let id: PersonId = path_id(&id)?;
    let wanted = Skill {
        person_id: id,
        skill: form.get("skill").to_owned(),
        level: form.get("level").parse().unwrap_or(0),
        valid_until: form.get("valid_until").to_owned(),
        note: form.get("note").to_owned(),
        score: form.get("score").to_owned(),
        assessed_on: form.get("assessed_on").to_owned(),
        assessed_by: None,
    };
    let (catalogue, now) = (app.catalogue().await?, app.now());
    let done = match person_in(&form, "assessed_by") {
        Ok(assessed_by) => {
            let wanted = Skill { assessed_by, ..wanted };
            app.db.write(move |tx| rosters::set_skill(tx, &actor, &catalogue, &wanted, now)).await
        }
        Err(error) => Err(error),
    };
    match done {
        Ok(_) => {
            let to = format!("/admin/people/{id}/skills");
            Ok(flash(redirect(page.is_htmx, &to), page.l.t("专长已保存")))
        }
        Err(error) => {
            let errors = FormErrors::from_error(error, page.l)?;
            let card = PersonSkills { errors, ..page_of(&app, &page, id, form).await? };
            let body = part_or_page(page.is_partial, card.as_card(), &card)?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, body).into_response())
        }
    }
}

pub(super) async fn remove(
    State(app): State<App>,
    Organiser(actor): Organiser,
    page: Page,
    Path(id): Path<String>,
    form: FormData,
) -> Result<Response, AppError> {
    let id: PersonId = path_id(&id)?;
    let (skill, now) = (form.get("skill").to_owned(), app.now());
    app.db.write(move |tx| rosters::remove_skill(tx, &actor, id, &skill, now)).await?;
    let to = format!("/admin/people/{id}/skills");
    Ok(flash(redirect(page.is_htmx, &to), page.l.t("专长已删除")))
}
