//! The list of customers.

use std::collections::HashMap;
use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use super::columns::{Column, columns};
use super::display::{Reader, Shown};
use super::query::{CHOICE_FILTERS, list_query};
use super::{INLINE_FIELDS, dictionary_choices, reply, wants_part};
use crate::access::{Actor, FieldRule, Object, Verb};
use crate::app::App;
use crate::catalogue::Catalogue;
use crate::counters::{self, Whose};
use crate::customers::{self, Customer, CustomerPage, Field, Kind, ListQuery, Total};
use crate::error::AppError;
use crate::i18n::{Lang, grouped};
use crate::ids::{CustomerId, PersonId};
use crate::lists::{self, ViewsMenu};
use crate::org;
use crate::web::{Choice, FormData, Page, QueryData, Shell, Tab};

/// Name of the list in settings and saved views.
const LIST: &str = "customers";

#[derive(Template)]
#[template(path = "customers/index.html", blocks = ["list"])]
struct ListPage {
    l: Lang,
    shell: Shell,
    /// What the actor may do with customers at all; on each row it is decided anew.
    may: May,
    sees_all: bool,
    views: String,
    deleted: Option<(CustomerId, String)>,
    total: i64,
    total_text: String,
    tabs: Vec<Tab>,
    filters: FormData,
    classes: Vec<Choice>,
    levels: Vec<Choice>,
    owners: Vec<Choice>,
    staff: Vec<Choice>,
    region_shown: String,
    kinds: Vec<Choice>,
    main_filters: Vec<ChoiceFilter>,
    more_filters: Vec<ChoiceFilter>,
    /// Classification schemes with their values, as `scheme:value`.
    schemes: Vec<(String, Vec<Choice>)>,
    completenesses: Vec<Choice>,
    more: bool,
    has_conditions: bool,
    columns: Vec<Column>,
    rows: Vec<Row>,
    sort: String,
    href: String,
    sort_base: String,
    limit_base: String,
    limit: String,
    prev: Option<String>,
    next: Option<String>,
    problems: Vec<String>,
}

/// A condition of which several values may be chosen.
struct ChoiceFilter {
    name: &'static str,
    label: String,
    /// What stands there while nothing is chosen.
    none: &'static str,
    choices: Vec<Choice>,
    chosen: Vec<String>,
}

impl ChoiceFilter {
    fn new(
        field: Field,
        none: Option<&'static str>,
        asked: &ListQuery,
        catalogue: &Catalogue,
        l: Lang,
    ) -> Self {
        let chosen = asked.choices.iter().find(|(f, _)| *f == field).map_or(Vec::new(), |(_, c)| c.clone());
        let mut choices = dictionary_choices(catalogue, field, l);
        // A retired value that is asked for stays to be seen, and to be taken away.
        let dictionary = field.spec().dictionary().map(|name| catalogue.dictionary(name));
        for code in &chosen {
            if let Some(dictionary) = dictionary.filter(|_| !choices.iter().any(|c| c.value == *code)) {
                choices.push(Choice { value: code.clone(), label: dictionary.title(code, l).to_owned() });
            }
        }
        let label = l.t(field.spec().zh).to_owned();
        Self { name: field.key(), label, none: l.t(none.unwrap_or("不限")), choices, chosen }
    }

    fn has(&self, choice: &Choice) -> bool {
        self.chosen.contains(&choice.value)
    }

    /// The chosen values by name, or that there are none.
    fn shown(&self) -> String {
        let names: Vec<&str> =
            self.choices.iter().filter(|c| self.has(c)).map(|c| c.label.as_str()).collect();
        if names.is_empty() { self.none.to_owned() } else { names.join("、") }
    }
}

struct Row {
    id: CustomerId,
    name: String,
    may_update: bool,
    may_delete: bool,
    cells: Vec<Cell>,
}

struct Cell {
    label: String,
    class: &'static str,
    shown: Shown,
    edit: String,
}

/// What is read for the page in one go.
struct Loaded {
    found: Result<(CustomerPage, Total), AppError>,
    by_class: Vec<(String, i64)>,
    names: HashMap<PersonId, String>,
    people: Vec<Choice>,
    settings: lists::Settings,
    views: ViewsMenu,
    deleted: Option<(CustomerId, String)>,
}

pub(super) async fn index(
    State(app): State<App>,
    actor: Actor,
    page: Page,
    headers: HeaderMap,
    query: QueryData,
) -> Result<Response, AppError> {
    let page = build(&app, &actor, page, query.0).await?;
    let status = if page.problems.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    if wants_part(&headers) { reply(&page.as_list(), status) } else { reply(&page, status) }
}

/// Keeps which columns the person wants, in which order, and answers the list as the address has it.
pub(super) async fn set_columns(
    State(app): State<App>,
    actor: Actor,
    page: Page,
    headers: HeaderMap,
    form: FormData,
) -> Result<Response, AppError> {
    let chosen: Vec<String> = if form.is_ticked("reset") {
        Vec::new()
    } else {
        let mut names: Vec<String> =
            form.all("column").into_iter().filter(|n| n.len() <= 80).map(str::to_owned).collect();
        names.truncate(300);
        names
    };
    let (me, now) = (actor.clone(), app.now());
    let settings = lists::Settings { columns: chosen };
    app.db.write(move |tx| lists::keep_settings(tx, &me, LIST, &settings, now)).await?;
    if !wants_part(&headers) {
        return Ok(crate::web::redirect(false, "/customers"));
    }
    let query = lists::current_query(&headers)?;
    reply(&build(&app, &actor, page, query).await?.as_list(), StatusCode::OK)
}

async fn build(app: &App, actor: &Actor, page: Page, mut query: FormData) -> Result<ListPage, AppError> {
    let catalogue = app.catalogue().await?;
    let deleted = query.get("deleted").parse().ok().filter(|_| actor.is_administrator());
    query.0.retain(|(name, _)| !matches!(name.as_str(), "drawer" | "deleted" | "view"));
    let (asked, refused) = match list_query(&query, &catalogue, &app.zone) {
        Ok(asked) => (asked, None),
        Err(AppError::Invalid(errors)) => (ListQuery::default(), Some(AppError::Invalid(errors))),
        Err(other) => return Err(other),
    };
    let loaded = load(app, actor, asked.clone(), refused, deleted).await?;
    let reader = Reader {
        catalogue: &catalogue,
        l: page.l,
        zone: &app.zone,
        names: &loaded.names,
        today: app.today().to_string(),
    };
    let mut view = frame(&page, actor, &catalogue, &query, &asked, &loaded);
    let (found, total) = match &loaded.found {
        Ok(found) => found,
        Err(AppError::Invalid(errors)) => {
            view.problems = errors.iter().map(|e| e.text.to(page.l)).collect();
            return Ok(view);
        }
        Err(other) => return Err(other.clone()),
    };
    (view.total, view.total_text) = match total {
        Total::Exact(n) => (*n, grouped(*n)),
        Total::AtLeast(n) => (*n, format!("{}+", grouped(*n))),
    };
    let shown: Vec<&Column> = view.columns.iter().filter(|c| c.visible && c.name != "name").collect();
    view.rows = found.items.iter().map(|customer| row(&reader, actor, customer, &shown)).collect();
    let place = |after: &Option<String>| {
        after.as_ref().map(|after| format!("/customers?{}", query.with(&[("after", after)])))
    };
    (view.prev, view.next) = (place(&found.previous), place(&found.next));
    Ok(view)
}

async fn load(
    app: &App,
    actor: &Actor,
    asked: ListQuery,
    refused: Option<AppError>,
    deleted: Option<CustomerId>,
) -> Result<Loaded, AppError> {
    let actor = actor.clone();
    app.db
        .read(move |conn| {
            let whose = Whose::within(&actor).unwrap_or_else(|| Whose::owner(actor.person_id));
            let found = match refused {
                Some(error) => Err(error),
                None => customers::list(conn, &actor, &asked).and_then(|found| {
                    let total = customers::counted_by(conn, &actor, &asked)?;
                    Ok((found, total))
                }),
            };
            let people = org::list_people(conn)?;
            let deleted = match deleted {
                Some(id) => conn
                    .value::<String>(
                        "SELECT name FROM customers WHERE id = $1 AND deleted_at IS NOT NULL",
                        &[id.into()],
                    )?
                    .map(|name| (id, name)),
                None => None,
            };
            Ok::<_, AppError>(Loaded {
                found,
                by_class: counters::by_key(conn, "customers.class", &whose)?,
                names: people.iter().map(|p| (p.id, p.name.clone())).collect(),
                people: people
                    .iter()
                    .filter(|p| p.is_active)
                    .map(|p| Choice { value: p.id.to_string(), label: p.name.clone() })
                    .collect(),
                settings: lists::settings(conn, &actor, LIST)?,
                views: ViewsMenu::load(conn, &actor, LIST)?,
                deleted,
            })
        })
        .await
}

/// Which buttons a list of customers shows.
#[derive(Clone, Copy, Debug)]
struct May {
    create: bool,
    update: bool,
    delete: bool,
    assign: bool,
    export: bool,
    import: bool,
    note: bool,
}

impl May {
    fn of(actor: &Actor) -> Self {
        let may = |verb| actor.may(Object::Customer, verb);
        Self {
            create: may(Verb::Create),
            update: may(Verb::Update),
            delete: may(Verb::Delete),
            assign: may(Verb::Assign),
            export: may(Verb::Export),
            import: may(Verb::Import),
            note: actor.may(Object::Activity, Verb::Update),
        }
    }
}

/// Everything but the rows.
fn frame(
    page: &Page,
    actor: &Actor,
    catalogue: &Arc<Catalogue>,
    query: &FormData,
    asked: &ListQuery,
    loaded: &Loaded,
) -> ListPage {
    let l = page.l;
    let address = |changes: &[(&str, &str)]| {
        let query = query.with(changes);
        if query.is_empty() { "/customers".to_owned() } else { format!("/customers?{query}") }
    };
    let base = |changes: &[(&str, &str)]| {
        let query = query.with(changes);
        if query.is_empty() { "/customers?".to_owned() } else { format!("/customers?{query}&") }
    };
    let mut owners = Vec::new();
    if actor.sees_all_customers() {
        owners.push(Choice { value: actor.person_id.to_string(), label: l.t("我负责的").to_owned() });
        owners.push(Choice { value: "none".into(), label: l.t("没有负责人").to_owned() });
        owners.extend(loaded.people.iter().filter(|c| c.value != actor.person_id.to_string()).cloned());
    }
    let filter = |field, none| ChoiceFilter::new(field, none, asked, catalogue, l);
    let main_filters = vec![filter(Field::Class, Some("全部类别")), filter(Field::Level, Some("全部等级"))];
    let more_filters = CHOICE_FILTERS
        .into_iter()
        .filter(|f| !matches!(f, Field::Class | Field::Level))
        .map(|f| filter(f, None))
        .collect();
    const MORE: [&str; 10] = [
        "kind",
        "mark",
        "nature",
        "industry",
        "source",
        "tag",
        "created_from",
        "created_to",
        "completeness",
        "due_by",
    ];
    let has = |names: &[&str]| names.iter().any(|name| !query.get(name).is_empty());
    ListPage {
        l,
        shell: page.shell(&[("客户", "/customers")]),
        may: May::of(actor),
        sees_all: actor.sees_all_customers(),
        views: loaded.views.render().unwrap_or_default(),
        deleted: loaded.deleted.clone(),
        total: 0,
        total_text: "0".into(),
        tabs: tabs(catalogue, l, query, &loaded.by_class),
        filters: query.clone(),
        classes: dictionary_choices(catalogue, Field::Class, l),
        levels: dictionary_choices(catalogue, Field::Level, l),
        owners,
        staff: loaded.people.clone(),
        region_shown: asked.region.replace('/', " "),
        kinds: [Kind::Organisation, Kind::Person]
            .map(|k| Choice { value: k.code().into(), label: l.t(k.title()).to_owned() })
            .into(),
        main_filters,
        more_filters,
        schemes: schemes(catalogue, l),
        completenesses: [("incomplete", "档案不完整"), ("complete", "档案完整")]
            .map(|(value, label)| Choice { value: value.into(), label: l.t(label).to_owned() })
            .into(),
        more: query.is_ticked("more") || has(&MORE),
        has_conditions: has(&MORE)
            || has(&[
                "q",
                "class",
                "level",
                "owner",
                "region",
                "updated_from",
                "updated_to",
                "import",
                "filter",
            ]),
        columns: columns(catalogue, l, &loaded.settings.columns),
        rows: Vec::new(),
        sort: match query.get("sort") {
            "" if asked.q.is_empty() => "-updated_at".to_owned(),
            sort => sort.to_owned(),
        },
        href: address(&[]),
        sort_base: base(&[("sort", ""), ("after", "")]),
        limit_base: address(&[("limit", ""), ("after", "")]),
        limit: asked.limit.max(1).to_string(),
        prev: None,
        next: None,
        problems: Vec::new(),
    }
}

/// The schemes customers are classified by.
fn schemes(catalogue: &Catalogue, l: Lang) -> Vec<(String, Vec<Choice>)> {
    let values = |name: &String| {
        let scheme = catalogue.dictionary(name);
        let active = scheme.entries.iter().filter(|e| e.is_active);
        let choices =
            active.map(|e| Choice { value: format!("{name}:{}", e.code), label: e.title(l).to_owned() });
        (l.pick(&scheme.zh, &scheme.en).to_owned(), choices.collect())
    };
    catalogue.customer_schemes().map(values).collect()
}

/// 全部 and one tab a class, with the kept counts.
fn tabs(catalogue: &Catalogue, l: Lang, query: &FormData, by_class: &[(String, i64)]) -> Vec<Tab> {
    let now = query.all("class").into_iter().filter(|c| !c.is_empty()).collect::<Vec<_>>().join(",");
    let href = |class: &str| {
        let query = query.with(&[("class", class), ("after", "")]);
        if query.is_empty() { "/customers".to_owned() } else { format!("/customers?{query}") }
    };
    let count_of = |class: &str| by_class.iter().find(|(c, _)| c == class).map_or(0, |(_, n)| *n);
    let all = Tab {
        title: l.t("全部").to_owned(),
        href: href(""),
        active: now.is_empty(),
        count: Some(by_class.iter().map(|(_, n)| n).sum()),
    };
    let classes = catalogue.dictionary("customer_class");
    let shown = classes.entries.iter().filter(|e| e.is_active || count_of(&e.code) > 0);
    std::iter::once(all)
        .chain(shown.map(|e| Tab {
            title: e.title(l).to_owned(),
            href: href(&e.code),
            active: now == e.code,
            count: Some(count_of(&e.code)),
        }))
        .collect()
}

fn row(reader: &Reader<'_>, actor: &Actor, customer: &Customer, shown: &[&Column]) -> Row {
    let may = |verb| actor.rights.covers(Object::Customer, verb, &customer.facts());
    let may_update = may(Verb::Update);
    let cells = shown
        .iter()
        .map(|column| {
            let applies = Field::named(&column.name).is_none_or(|f| f.spec().applies_to(customer.kind));
            let editable = applies
                && may_update
                && INLINE_FIELDS.contains(&column.name.as_str())
                && customer.withheld.rule(&column.name) == FieldRule::Edit;
            Cell {
                label: column.title.clone(),
                class: if is_numeric(&column.name) { "tnum" } else { "" },
                shown: reader.column(customer, &column.name),
                edit: if editable {
                    format!("/customers/{}/fields/{}?cell=1", customer.id, column.name)
                } else {
                    String::new()
                },
            }
        })
        .collect();
    Row {
        id: customer.id,
        name: customer.name().to_owned(),
        may_update,
        may_delete: may(Verb::Delete),
        cells,
    }
}

fn is_numeric(column: &str) -> bool {
    column.ends_with("_at") || column.ends_with("_on") || matches!(column, "phone" | "number" | "landline")
}
