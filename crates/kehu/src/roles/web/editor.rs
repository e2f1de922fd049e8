//! One role: the matrix of permissions, the field rules, who has it, and what a change means before it is saved.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::{HOME, unit_rows};
use crate::access::{Held, Object, Role, Scope, Verb, Why};
use crate::app::App;
use crate::contacts::api_parts::path_id;
use crate::customers::{SPECS, Total, mask};
use crate::error::AppError;
use crate::i18n::{Lang, grouped};
use crate::ids::{PersonId, RoleId, UnitId};
use crate::org::web::part_or_page;
use crate::roles::effect::{self, ForPerson, as_person};
use crate::roles::{
    Draft, Known, blank, create, holders, is_for_bundles, known, load, post_title, remove, ruled_fields,
    update,
};
use crate::web::{
    Choice, FormData, FormErrors, Granter, MenuItem, Page, QueryData, Shell, flash, html, redirect,
};

#[derive(Template)]
#[template(path = "roles/role.html", blocks = ["card"])]
struct RolePage {
    l: Lang,
    shell: Shell,
    heading: String,
    action: String,
    /// Empty for a new one.
    id: String,
    is_locked: bool,
    is_bundle: bool,
    is_new: bool,
    may_delete: bool,
    form: FormData,
    verbs: Vec<&'static str>,
    rows: Vec<Row>,
    groups: Vec<Group>,
    holders: Vec<Holder>,
    more_holders: usize,
    posts: Vec<String>,
    menu: Vec<MenuItem>,
    errors: FormErrors,
}

struct Row {
    title: &'static str,
    hint: &'static str,
    /// One a verb, in the order of the columns.
    cells: Vec<Option<Cell>>,
}

struct Cell {
    /// `customer.read`.
    key: String,
    label: String,
    is_scoped: bool,
    value: String,
    scopes: Vec<Choice>,
    units: Vec<String>,
    tree: String,
    condition: String,
    error: String,
}

struct Group {
    title: String,
    fields: Vec<Field>,
}

impl Group {
    fn is_ruled(&self) -> bool {
        self.fields.iter().any(|f| !f.value.is_empty())
    }
}

struct Field {
    name: String,
    title: String,
    sample: String,
    value: String,
    may_hide: bool,
    error: String,
}

struct Holder {
    id: PersonId,
    name: String,
    from: String,
}

/// People of the list beside the matrix at the most.
const MOST_HOLDERS: usize = 50;

/// A role as its form shows it.
fn filled(role: &Role) -> FormData {
    let mut pairs = vec![
        ("id".to_owned(), if role.version == 0 { String::new() } else { role.id.to_string() }),
        ("version".to_owned(), role.version.to_string()),
        ("code".to_owned(), role.code.clone()),
        ("name".to_owned(), role.name.clone()),
        ("note".to_owned(), role.note.clone()),
        ("is_bundle".to_owned(), if role.is_bundle { "1" } else { "0" }.to_owned()),
    ];
    for ((object, verb), scope) in &role.grants {
        let cell = format!("{}.{}", object.code(), verb.code());
        pairs.push((format!("scope.{cell}"), scope.code().to_owned()));
        match scope {
            Scope::Units(units) => {
                pairs.extend(units.iter().map(|u| (format!("units.{cell}"), u.to_string())));
            }
            Scope::Condition(source) => pairs.push((format!("condition.{cell}"), source.clone())),
            _ => {}
        }
    }
    for ((object, field), rule) in &role.fields {
        pairs.push((format!("rule.{}.{field}", object.code()), rule.code().to_owned()));
    }
    FormData(pairs)
}

fn rows(form: &FormData, is_bundle: bool, errors: &FormErrors, l: Lang) -> Vec<Row> {
    let cell = |object: Object, verb: Verb| {
        if !object.verbs().contains(&verb) || (is_bundle && !is_for_bundles(object, verb)) {
            return None;
        }
        let key = format!("{}.{}", object.code(), verb.code());
        let is_scoped = object.is_scoped(verb) && !is_bundle;
        let chosen = form.all(&format!("units.{key}"));
        let tree: String = chosen.iter().map(|u| format!("&unit={u}")).collect();
        let scopes =
            Scope::CODES.iter().map(|code| super::choice(code, l.t(Scope::title_of(code)))).collect();
        Some(Cell {
            label: l.f("{}：{}", &[&l.t(object.title()), &l.t(verb.title())]),
            is_scoped,
            value: form.get(&format!("scope.{key}")).to_owned(),
            scopes,
            tree: format!("/admin/roles/units?name=units.{key}{tree}"),
            units: chosen.into_iter().filter(|u| u.parse::<UnitId>().is_ok()).map(str::to_owned).collect(),
            condition: form.get(&format!("condition.{key}")).to_owned(),
            error: errors.of(&format!("scope.{key}")).to_owned(),
            key,
        })
    };
    Object::ALL
        .into_iter()
        .map(|object| Row {
            title: object.title(),
            hint: match object {
                Object::Contact | Object::Asset | Object::Activity | Object::File => {
                    "先能看到客户，才能看到它；修改包括新增和删除"
                }
                Object::Strategy | Object::Organisation | Object::Catalogue => "人人可看，勾选后可以维护",
                Object::Role => "定义角色、授权、查看他人权限",
                _ => "",
            },
            cells: Verb::ALL.into_iter().map(|verb| cell(object, verb)).collect(),
        })
        .filter(|row| row.cells.iter().any(Option::is_some))
        .collect()
}

/// What a masked value of a field looks like.
fn sample(object: Object, key: &str) -> String {
    match key {
        "name" | "short_name" => hanzi::mask::name("欧阳小明"),
        "address" => hanzi::mask::address("广东省广州市天河区体育西路 123 号"),
        "phone" | "landline" => hanzi::mask::phone("13812345678"),
        "email" => hanzi::mask::email("zhangsan@example.com"),
        "id_number" => hanzi::mask::id_card("110101199003070011"),
        "credit_code" => hanzi::mask::id_card("91440101MA5CXXXX0X"),
        _ => match SPECS.iter().find(|s| object == Object::Customer && s.key == key) {
            Some(spec) => mask(spec.kind, "13812345678"),
            None => "***".into(),
        },
    }
}

fn groups(form: &FormData, known: &Known, errors: &FormErrors, l: Lang) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for field in ruled_fields(&known.custom_fields) {
        let title = match field.object {
            Object::Customer => l.f("客户：{}", &[&l.t(field.group)]),
            _ => l.t(field.group).to_owned(),
        };
        let name = format!("rule.{}.{}", field.object.code(), field.key);
        let shown = Field {
            title: l.t(&field.title).to_owned(),
            sample: sample(field.object, &field.key),
            value: form.get(&name).to_owned(),
            may_hide: field.key != "name",
            error: errors.of(&name).to_owned(),
            name,
        };
        match groups.iter_mut().find(|g| g.title == title) {
            Some(group) => group.fields.push(shown),
            None => groups.push(Group { title, fields: vec![shown] }),
        }
    }
    groups
}

/// What the menu of somebody with this role alone shows.
fn menu(app: &App, role: &Role, known: &Known, l: Lang, day: &str) -> Vec<MenuItem> {
    let held = Held {
        role: std::sync::Arc::new(role.clone()),
        units: Vec::new(),
        of: PersonId(0),
        why: Why::Direct,
    };
    let rights = known.directory.rights_of(vec![held], None, day);
    let mut facts = (*as_person(PersonId(0), rights)).clone();
    facts.lang = l;
    (app.hooks.menu)(&crate::access::Actor::new(facts), "", &[], false)
}

async fn page_of(
    app: &App,
    page: &Page,
    role: &Role,
    form: FormData,
    errors: FormErrors,
    known: &Known,
) -> Result<RolePage, AppError> {
    let (l, day) = (page.l, app.today().to_string());
    let catalogue = app.catalogue().await?;
    let is_new = role.version == 0;
    let is_bundle = if is_new { form.is_ticked("is_bundle") } else { role.is_bundle };
    let heading = if is_new { l.t("新建角色").to_owned() } else { l.t(&role.name).to_owned() };
    let all = if is_new { Vec::new() } else { holders(&known.directory, role.id, &day) };
    let more_holders = all.len().saturating_sub(MOST_HOLDERS);
    let shown = all.into_iter().take(MOST_HOLDERS).map(|id| {
        let held = known.directory.own_roles(id, &day);
        let from: Vec<String> = held
            .iter()
            .filter(|h| h.role.id == role.id)
            .map(|h| crate::roles::why_words(&h.why, &known.directory, &catalogue, &app.zone, l))
            .collect();
        let name = known.directory.member(id).map_or_else(String::new, |m| m.name.clone());
        Holder { id, name, from: from.join(l.t("、")) }
    });
    let posts = known.directory.posts_with_roles().filter(|(_, roles)| roles.contains(&role.id));
    let mut posts: Vec<String> = posts.map(|(p, _)| post_title(&catalogue, p, l).to_owned()).collect();
    posts.sort();
    Ok(RolePage {
        l,
        shell: page.shell(&[("系统管理", "/admin/people"), ("角色与授权", HOME), (&heading, "")]),
        heading,
        action: if is_new { HOME.to_owned() } else { format!("{HOME}/{}", role.id) },
        id: if is_new { String::new() } else { role.id.to_string() },
        is_locked: role.is_administrator(),
        is_bundle,
        is_new,
        may_delete: !is_new && !role.is_builtin,
        verbs: Verb::ALL.iter().map(|v| v.title()).collect(),
        rows: rows(&form, is_bundle, &errors, l),
        groups: groups(&form, known, &errors, l),
        holders: shown.collect(),
        more_holders,
        posts,
        menu: menu(app, role, known, l, &day),
        form,
        errors,
    })
}

impl RolePage {
    fn answer(&self, is_part: bool, status: StatusCode) -> Result<Response, AppError> {
        Ok((status, part_or_page(is_part, self.as_card(), self)?).into_response())
    }

    /// What is wrong besides what stands at its cell.
    fn besides(&self) -> Vec<&str> {
        let mut shown: Vec<String> = vec!["name".into(), "note".into(), "code".into()];
        let cells = self.rows.iter().flat_map(|r| r.cells.iter().flatten());
        shown.extend(cells.map(|c| format!("scope.{}", c.key)));
        shown.extend(self.groups.iter().flat_map(|g| g.fields.iter().map(|f| f.name.clone())));
        let shown: Vec<&str> = shown.iter().map(String::as_str).collect();
        self.errors.besides(&shown)
    }

    fn has_cell_errors(&self) -> bool {
        let cells = self.rows.iter().flat_map(|r| r.cells.iter().flatten());
        let fields = self.groups.iter().flat_map(|g| &g.fields);
        cells.into_iter().any(|c| !c.error.is_empty()) || fields.into_iter().any(|f| !f.error.is_empty())
    }
}

pub(super) async fn new(
    State(app): State<App>,
    Granter(_): Granter,
    page: Page,
    QueryData(asked): QueryData,
) -> Result<Response, AppError> {
    let known = known(&app).await?;
    let mut role = blank();
    role.is_bundle = asked.is_ticked("bundle");
    if let Ok(copied) = asked.get("copy").parse::<RoleId>()
        && let Some(of) = known.directory.role(copied)
    {
        let name = page.l.f("{}（副本）", &[&page.l.t(&of.name)]);
        role = Role { name, ..(**of).clone() };
        (role.id, role.version, role.is_builtin, role.code) = (RoleId(0), 0, false, String::new());
    }
    let form = filled(&role);
    let shown = page_of(&app, &page, &role, form, FormErrors::default(), &known).await?;
    shown.answer(page.is_partial, StatusCode::OK)
}

pub(super) async fn show(
    State(app): State<App>,
    Granter(_): Granter,
    page: Page,
    Path(id): Path<String>,
) -> Result<Response, AppError> {
    let id: RoleId = path_id(&id)?;
    let known = known(&app).await?;
    let role = app.db.read(move |conn| load(conn, id)).await?;
    let form = filled(&role);
    let shown = page_of(&app, &page, &role, form, FormErrors::default(), &known).await?;
    shown.answer(page.is_partial, StatusCode::OK)
}

pub(super) async fn add(
    State(app): State<App>,
    Granter(actor): Granter,
    page: Page,
    form: FormData,
) -> Result<Response, AppError> {
    let known = known(&app).await?;
    let (draft, checked_by, now) = (Draft::from_form(&form), known.clone(), app.now());
    let made = app.db.write(move |tx| create(tx, &actor, &checked_by, &draft, now)).await;
    app.forget_sessions();
    match made {
        Ok(made) => Ok(told(&page, &made.warnings, &format!("{HOME}/{}", made.role.id))),
        Err(error) => {
            let errors = FormErrors::from_error(error, page.l)?;
            let again = page_of(&app, &page, &blank(), form, errors, &known).await?;
            again.answer(page.is_partial, StatusCode::UNPROCESSABLE_ENTITY)
        }
    }
}

/// Goes to the role and says that it is saved, with what makes no difference.
fn told(page: &Page, warnings: &[crate::i18n::Text], to: &str) -> Response {
    let l = page.l;
    let said = match warnings.first() {
        None => l.t("角色已保存，立即生效").to_owned(),
        Some(first) => l.f("角色已保存。提醒：{}", &[&first.to(l)]),
    };
    flash(redirect(page.is_htmx, to), &said)
}

pub(super) async fn change(
    State(app): State<App>,
    Granter(actor): Granter,
    page: Page,
    Path(id): Path<String>,
    form: FormData,
) -> Result<Response, AppError> {
    let id: RoleId = path_id(&id)?;
    let known = known(&app).await?;
    let (draft, checked_by, now) = (Draft::from_form(&form), known.clone(), app.now());
    let version = form.get("version").parse().unwrap_or(0);
    let done = app.db.write(move |tx| update(tx, &actor, &checked_by, id, version, &draft, now)).await;
    app.forget_sessions();
    match done {
        Ok(done) => Ok(told(&page, &done.warnings, &format!("{HOME}/{id}"))),
        Err(error) => {
            let errors = FormErrors::from_error(error, page.l)?;
            let role = app.db.read(move |conn| load(conn, id)).await?;
            let again = page_of(&app, &page, &role, form, errors, &known).await?;
            again.answer(page.is_partial, StatusCode::UNPROCESSABLE_ENTITY)
        }
    }
}

pub(super) async fn delete(
    State(app): State<App>,
    Granter(actor): Granter,
    page: Page,
    Path(id): Path<String>,
    form: FormData,
) -> Result<Response, AppError> {
    let id: RoleId = path_id(&id)?;
    let known = known(&app).await?;
    let version = form.get("version").parse().unwrap_or(0);
    let now = app.now();
    let done = app.db.write(move |tx| remove(tx, &actor, &known, id, version, now)).await;
    app.forget_sessions();
    done?;
    Ok(flash(redirect(page.is_htmx, HOME), page.l.t("角色已删除")))
}

#[derive(Template)]
#[template(path = "roles/units.html")]
struct UnitTree {
    l: Lang,
    name: String,
    rows: Vec<UnitRow>,
}

struct UnitRow {
    depth: usize,
    id: String,
    title: String,
    chosen: bool,
}

/// The units to choose from for one cell.
pub(super) async fn units(
    State(app): State<App>,
    Granter(_): Granter,
    page: Page,
    QueryData(asked): QueryData,
) -> Result<Response, AppError> {
    let directory = app.directory().await?;
    let chosen = asked.all("unit");
    let name: String =
        asked.get("name").chars().filter(|c| c.is_ascii_lowercase() || "._".contains(*c)).collect();
    let rows = unit_rows(&directory).into_iter().map(|(depth, id, title)| {
        let id = id.to_string();
        UnitRow { depth: depth.min(8), chosen: chosen.contains(&id.as_str()), id, title }
    });
    html(&UnitTree { l: page.l, name, rows: rows.collect() })
}

#[derive(Template)]
#[template(path = "roles/effect.html")]
struct EffectPart {
    l: Lang,
    errors: Vec<String>,
    warnings: Vec<String>,
    is_new: bool,
    people: String,
    rows: Vec<EffectRow>,
    more: usize,
    menu: Vec<MenuItem>,
}

struct EffectRow {
    name: String,
    before: String,
    after: String,
    changes: bool,
    gained: Vec<String>,
    lost: Vec<String>,
}

pub(super) fn total(total: Total) -> String {
    match total {
        Total::Exact(n) => grouped(n),
        Total::AtLeast(n) => format!("{}+", grouped(n)),
    }
}

fn effect_row(one: ForPerson) -> EffectRow {
    EffectRow {
        changes: one.before != one.after || !one.gained.is_empty() || !one.lost.is_empty(),
        name: one.name,
        before: total(one.before),
        after: total(one.after),
        gained: one.gained,
        lost: one.lost,
    }
}

/// What changes when the form is saved; nothing is written.
pub(super) async fn preview(
    State(app): State<App>,
    Granter(actor): Granter,
    page: Page,
    form: FormData,
) -> Result<Response, AppError> {
    let l = page.l;
    let known = known(&app).await?;
    let day = app.today().to_string();
    let old = match form.get("id").parse::<RoleId>() {
        Ok(id) => app.db.read(move |conn| load(conn, id)).await?,
        Err(_) => blank(),
    };
    let mut part = EffectPart {
        l,
        errors: Vec::new(),
        warnings: Vec::new(),
        is_new: old.version == 0,
        people: String::new(),
        rows: Vec::new(),
        more: 0,
        menu: Vec::new(),
    };
    match Draft::from_form(&form).applied(&old, &known) {
        Err(errors) => part.errors = errors.iter().map(|e| e.text.to(l)).collect(),
        Ok(draft) => {
            part.menu = menu(&app, &draft.role, &known, l, &day);
            part.warnings = draft.warnings.iter().map(|w| w.to(l)).collect();
            if !part.is_new {
                let chosen = form.get("effect_person").parse::<PersonId>().ok();
                let (directory, now) = (known.directory.clone(), app.now());
                let effect = app
                    .db
                    .read(move |conn| effect::effect(conn, &actor, &directory, &draft, chosen, (&day, now)))
                    .await?;
                part.people = grouped(effect.people);
                part.more =
                    if chosen.is_some() { 0 } else { effect.people.saturating_sub(effect.each.len()) };
                part.rows = effect.each.into_iter().map(effect_row).collect();
            }
        }
    }
    html(&part)
}

#[derive(Template)]
#[template(path = "roles/reach.html")]
struct ReachPart {
    l: Lang,
    person: String,
    total: String,
    sample: Vec<String>,
}

/// What the role alone reaches for one of its holders.
pub(super) async fn reach(
    State(app): State<App>,
    Granter(actor): Granter,
    page: Page,
    Path(id): Path<String>,
    QueryData(asked): QueryData,
) -> Result<Response, AppError> {
    let id: RoleId = path_id(&id)?;
    let person: PersonId = asked.get("person").parse().map_err(|_| AppError::NotFound)?;
    let directory = app.directory().await?;
    let name = directory.member(person).ok_or(AppError::NotFound)?.name.clone();
    let (day, now) = (app.today().to_string(), app.now());
    let (all, sample) =
        app.db.read(move |conn| effect::reach(conn, &actor, &directory, id, person, (&day, now))).await?;
    html(&ReachPart { l: page.l, person: name, total: total(all), sample })
}
