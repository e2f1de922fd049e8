//! The desk of a regulation that has an entry of its own in the menu: what may be opened, what is open, and the figures of
//! its reports, month by month.

use askama::Template;
use axum::extract::{Path, State as Shared};
use axum::response::Response;

use super::{HOME, find};
use crate::access::Actor;
use crate::app::App;
use crate::cases::{Ground, MOST_COUNTED, open_counts, openable};
use crate::error::AppError;
use crate::i18n::Lang;
use crate::policies::{self, web::clause_href};
use crate::reports::{Figure, Place, may_see};
use crate::web::{FormData, Page, QueryData, Shell, html};

/// A kind of case of the regulation.
struct Kind {
    title: String,
    list: String,
    board: String,
    /// Where a new one is opened; empty for who may not.
    new: String,
    open: String,
    late: i64,
    clause: String,
    clause_href: String,
}

#[derive(Template)]
#[template(path = "reports/desk.html")]
struct DeskPage {
    l: Lang,
    shell: Shell,
    policy: String,
    title: String,
    full_title: String,
    purpose: String,
    kinds: Vec<Kind>,
    policy_href: String,
}

pub(super) async fn show(
    Shared(app): Shared<App>,
    actor: Actor,
    page: Page,
    Path(policy): Path<String>,
) -> Result<Response, AppError> {
    let ground = Ground::of(&app).await?;
    let name = policy.clone();
    let (version, found, counts, may_open) = app
        .db
        .read(move |conn| {
            let (version, found) = module(conn, &ground, &name)?;
            let counts = open_counts(conn, &actor, &ground, &found)?;
            let offered = openable(conn, &actor, &ground)?;
            let may_open: Vec<String> = offered
                .into_iter()
                .filter(|(of, ..)| *of == version)
                .flat_map(|(_, _, forms)| forms.into_iter().map(|form| form.id.clone()))
                .collect();
            Ok::<_, AppError>((version, found, counts, may_open))
        })
        .await?;
    let counted = |count: i64| {
        if count > MOST_COUNTED { format!("{MOST_COUNTED}+") } else { count.to_string() }
    };
    let kinds = found
        .forms
        .iter()
        .zip(counts)
        .map(|(form, (open, late))| Kind {
            title: form.title.clone(),
            list: format!("/cases?place=all&form={}&state=open", form.id),
            board: format!("/cases?place=all&form={}&view=board", form.id),
            new: if may_open.contains(&form.id) { format!("/cases/new/{}", form.id) } else { String::new() },
            open: counted(open),
            late,
            clause: form.clause.clone().unwrap_or_default(),
            clause_href: form.clause.as_ref().map_or_else(String::new, |clause| clause_href(version, clause)),
        })
        .collect();
    let title = found.head.menu.clone();
    html(&DeskPage {
        l: page.l,
        shell: page.shell(&[(&title, "")]),
        policy,
        title,
        full_title: found.title.clone(),
        purpose: found.head.purpose.clone(),
        kinds,
        policy_href: format!("/policies/{version}"),
    })
}

/// The regulation in force of a module.
fn module(
    conn: &mut store::Conn<'_>,
    ground: &Ground,
    name: &str,
) -> Result<(crate::ids::PolicyVersionId, std::sync::Arc<policy::Policy>), AppError> {
    let found = policies::in_force(conn, ground.now)?.into_iter().find(|(_, known)| known.id == name);
    found.filter(|(_, known)| !known.head.menu.is_empty()).ok_or(AppError::NotFound)
}

/// A figure, and how it stood the period before.
struct Shown {
    figure: Figure,
    before: String,
    report: String,
}

impl Shown {
    /// The share of a part, for a bar; nothing for figures that are no shares.
    fn share(value: &str) -> Option<&str> {
        value.strip_suffix('%').filter(|number| number.parse::<f64>().is_ok())
    }
}

#[derive(Template)]
#[template(path = "reports/desk_figures.html")]
struct FiguresPart {
    l: Lang,
    path: String,
    period: String,
    before: String,
    after: String,
    figures: Vec<Shown>,
}

/// The figures of a month for whoever makes or reviews the regulation's reports.
pub(super) async fn figures(
    Shared(app): Shared<App>,
    actor: Actor,
    page: Page,
    Path(policy): Path<String>,
    asked: QueryData,
) -> Result<Response, AppError> {
    let ground = Ground::of(&app).await?;
    let day = match asked.get("period") {
        "" => ground.day.clone(),
        day => day.to_owned(),
    };
    let (name, me, of) = (policy.clone(), actor.clone(), ground.clone());
    let places: Vec<Place> = app
        .db
        .read(move |conn| {
            let (_, found) = module(conn, &of, &name)?;
            let mut places = Vec::new();
            for report in &found.reports {
                let place = Place::find(conn, &of, &name, &report.id, Some(&day))?;
                match may_see(conn, &me, &of, &place) {
                    Ok(_) => places.push(place),
                    Err(AppError::Forbidden(_)) => {}
                    Err(error) => return Err(error),
                }
            }
            Ok::<_, AppError>(places)
        })
        .await?;
    let mut part = FiguresPart {
        l: page.l,
        path: format!("/desks/{policy}/figures"),
        period: String::new(),
        before: String::new(),
        after: String::new(),
        figures: Vec::new(),
    };
    for place in places {
        let every = place.report().every;
        let names = (place.policy.id.as_str(), place.report().id.as_str());
        let on = |day: jiff::civil::Date| FormData(vec![("period".into(), day.to_string())]);
        let (before, after) = (place.period.before(every).first, place.period.after(every).first);
        let now = find(&app, &actor, &ground, names, &on(place.period.first)).await?;
        let past = find(&app, &actor, &ground, names, &on(before)).await?;
        if part.period.is_empty() {
            part.period = place.title();
            (part.before, part.after) = (before.to_string(), after.to_string());
        }
        for (figure, past) in now.sheet.figures.into_iter().zip(past.sheet.figures) {
            if !part.figures.iter().any(|known| known.figure.title == figure.title) {
                let report = format!("{HOME}/{}/{}?period={}", names.0, names.1, place.period.first);
                part.figures.push(Shown { figure, before: past.all, report });
            }
        }
    }
    html(&part)
}
