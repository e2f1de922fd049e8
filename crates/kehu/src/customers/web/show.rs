//! A customer: the same card in the drawer beside the list and on a page of its own.

use std::collections::{BTreeMap, HashMap};

use askama::Template;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use store::Conn;

use super::display::{Reader, Shown};
use super::history::{self, History};
use super::{reply, trigger, wants_part};
use crate::access::{Actor, FieldRule, Object, Verb};
use crate::app::App;
use crate::catalogue::Catalogue;
use crate::clock::Zone;
use crate::customers::{self, Customer, Field, Group, Kind, SPECS, Teller, marks};
use crate::error::AppError;
use crate::i18n::Lang;
use crate::ids::{CustomerId, PersonId};
use crate::org;
use crate::strategies::{self, Fit};
use crate::web::{Administrator, Page, QueryData, Shell, Tab, redirect};

#[derive(Template)]
#[template(path = "customers/show.html", blocks = ["card"])]
struct Card {
    l: Lang,
    shell: Shell,
    path: String,
    in_drawer: bool,
    just_saved: bool,
    head: Head,
    may_update: bool,
    may_note: bool,
    may_delete: bool,
    tabs: Vec<(&'static str, Tab)>,
    tab: &'static str,
    groups: Vec<Facts>,
    unset_schemes: Vec<(String, String)>,
    history: Option<History>,
    history_of: String,
    older: Option<String>,
}

/// The head of the card; changes in place send it anew.
#[derive(Template)]
#[template(path = "customers/head.html")]
pub(super) struct Head {
    l: Lang,
    id: CustomerId,
    name: String,
    number: String,
    is_person: bool,
    class: Shown,
    level: Shown,
    owner: String,
    completeness: i64,
    missing: Vec<String>,
    last_activity: String,
    next_contact: Shown,
    /// Whether it replaces the one on the page.
    is_out_of_band: bool,
}

struct Facts {
    title: String,
    facts: Vec<Fact>,
}

struct Fact {
    label: String,
    shown: Shown,
    edit: String,
    /// Address of the history of this field; empty for none.
    history: String,
    wide: bool,
}

/// The tabs, with the table whose rows are counted.
const TABS: [(&str, &str, &str); 9] = [
    ("basic", "基本信息", ""),
    ("timeline", "动态", "activities"),
    ("contacts", "联系人", "contacts"),
    ("assets", "资产", "assets"),
    ("files", "附件", "files"),
    ("cases", "单据", ""),
    ("assignments", "交办", ""),
    ("shares", "协作", ""),
    ("history", "变更记录", ""),
];

/// Fields whose history stands one click away: the class (VF-02), the level and the credit status (AM-06).
const WITH_HISTORY: [Field; 3] = [Field::Class, Field::Level, Field::CreditStatus];

/// What the card shows besides the customer itself.
struct Around {
    names: HashMap<PersonId, String>,
    has_contact: bool,
    marks: BTreeMap<String, Vec<String>>,
    counts: BTreeMap<&'static str, i64>,
    strategy: Option<Fit>,
    /// When and by whom the credit status was last written.
    credit_noted: Option<(i64, String)>,
}

impl Around {
    /// Forgets how much there is of what the reader may not know.
    fn hide_untold(&mut self, teller: &Teller<'_>) {
        for (tab, object) in
            [("contacts", "contact"), ("assets", "asset"), ("timeline", "activity"), ("files", "file")]
        {
            if !teller.tells(object) {
                self.counts.remove(tab);
            }
        }
    }
}

fn around(conn: &mut Conn<'_>, customer: &Customer, today: &str) -> store::Result<Around> {
    let mut counts = BTreeMap::new();
    for (tab, _, table) in TABS.iter().filter(|(.., table)| !table.is_empty()) {
        let sql = format!("SELECT COUNT(*) FROM {table} WHERE customer_id = $1 AND deleted_at IS NULL");
        counts.insert(*tab, conn.count(&sql, &[customer.id.into()])?);
    }
    let credit_noted = conn.row(
        "SELECT at, actor_name FROM audit_log
         WHERE customer_id = $1 AND customer_id <> 0 AND object = 'customer' AND after LIKE '%\"credit_status\":%' ORDER BY id DESC LIMIT 1",
        &[customer.id.into()],
    )?;
    let strategy = strategies::fitting(
        conn,
        customer.kind.code(),
        customer.get(Field::Class),
        customer.get(Field::Level),
        today,
    )?;
    Ok(Around {
        strategy,
        names: org::person_names(conn)?,
        has_contact: counts.get("contacts").is_some_and(|n| *n > 0),
        marks: marks::of_customer(conn, customer.id)?,
        counts,
        credit_noted,
    })
}

pub(super) async fn show(
    State(app): State<App>,
    actor: Actor,
    page: Page,
    Path(id): Path<CustomerId>,
    headers: HeaderMap,
    query: QueryData,
) -> Result<Response, AppError> {
    let catalogue = app.catalogue().await?;
    let tab = TABS.iter().map(|(name, ..)| *name).find(|t| *t == query.get("tab")).unwrap_or("basic");
    let field = Some(query.get("field").to_owned()).filter(|f| {
        !f.is_empty() && f.len() <= 80 && f.chars().all(|c| c.is_ascii_alphanumeric() || "._".contains(c))
    });
    let before = store::parse_id(query.get("before")).ok();
    let (me, l, zone) = (actor.clone(), page.l, app.zone.clone());
    let (today, known, of) = (app.today().to_string(), catalogue.clone(), field.clone());
    let (directory, tasks_about) = (app.directory().await?, app.hooks.tasks_about);
    let cases_about = app.hooks.cases_about;
    let (customer, around, history) = app
        .db
        .read(move |conn| {
            let whole = customers::load_for(conn, &me, Object::Customer, Verb::Read, id)?;
            let teller = Teller::new(&me, &whole.facts());
            let customer = customers::withhold(&me, whole.clone());
            let mut around = around(conn, &customer, &today)?;
            around.hide_untold(&teller);
            around.counts.insert("assignments", tasks_about(conn, &me, &directory, &today, id)?);
            around.counts.insert("cases", cases_about(conn, &me, &directory, &today, id)?);
            let history = match tab {
                "history" => {
                    let reader = Reader { catalogue: &known, l, zone: &zone, names: &around.names, today };
                    Some(history::load(conn, &reader, &teller, id, of.as_deref(), before)?)
                }
                _ => None,
            };
            Ok::<_, AppError>((customer, around, history))
        })
        .await?;
    let in_drawer = wants_part(&headers);
    let reader = reader(&catalogue, l, &app.zone, &around.names, app.today().to_string());
    let address = format!("/customers/{id}");
    let may = |object, verb| actor.rights.covers(object, verb, &customer.facts());
    let tabs = TABS
        .iter()
        // A tab whose count is not told is not there.
        .filter(|(name, _, table)| table.is_empty() || around.counts.contains_key(name))
        .map(|(name, title, _)| {
            let shown = Tab {
                title: l.t(title).to_owned(),
                href: if *name == "basic" { address.clone() } else { format!("{address}?tab={name}") },
                active: *name == tab,
                count: around.counts.get(name).copied(),
            };
            (*name, shown)
        })
        .collect();
    let groups = if tab == "basic" { groups(&reader, &actor, &customer, &around) } else { Vec::new() };
    let unset_schemes = catalogue
        .customer_schemes()
        .filter(|s| tab == "basic" && may(Object::Customer, Verb::Update) && !around.marks.contains_key(*s))
        .map(|s| {
            let dictionary = catalogue.dictionary(s);
            (format!("{address}/fields/mark.{s}"), l.pick(&dictionary.zh, &dictionary.en).to_owned())
        })
        .collect();
    let of = field.as_deref();
    let history_of = of.and_then(Field::named).map_or("", |f| f.spec().zh);
    let older = history.as_ref().and_then(|h| h.older.as_ref()).map(|older| {
        let of = of.map_or_else(String::new, |f| format!("&field={f}"));
        format!("{address}?tab=history{of}&before={older}")
    });
    let card = Card {
        l,
        shell: page.shell(&[("客户", "/customers"), (customer.name(), "")]),
        path: address.clone(),
        in_drawer,
        just_saved: query.is_ticked("saved"),
        head: head(&reader, &customer, around.has_contact, false),
        may_update: may(Object::Customer, Verb::Update),
        may_note: may(Object::Activity, Verb::Update),
        may_delete: may(Object::Customer, Verb::Delete),
        tabs,
        tab,
        groups,
        unset_schemes,
        history,
        history_of: l.t(history_of).to_owned(),
        older,
    };
    if in_drawer { reply(&card.as_card(), StatusCode::OK) } else { reply(&card, StatusCode::OK) }
}

fn reader<'a>(
    catalogue: &'a Catalogue,
    l: Lang,
    zone: &'a Zone,
    names: &'a HashMap<PersonId, String>,
    today: String,
) -> Reader<'a> {
    Reader { catalogue, l, zone, names, today }
}

/// The head of a customer's card.
pub(super) fn head(
    reader: &Reader<'_>,
    customer: &Customer,
    has_contact: bool,
    is_out_of_band: bool,
) -> Head {
    let l = reader.l;
    Head {
        l,
        id: customer.id,
        name: customer.name().to_owned(),
        number: customer.number.clone(),
        is_person: customer.kind == Kind::Person,
        class: reader.column(customer, "class"),
        level: reader.column(customer, "level"),
        owner: reader.person(customer.owner_id),
        completeness: customer.completeness,
        missing: customer.missing(has_contact).into_iter().map(|zh| l.t(zh).to_owned()).collect(),
        last_activity: reader.column(customer, "last_activity_at").text,
        next_contact: reader.column(customer, "next_contact_on"),
        is_out_of_band,
    }
}

fn groups(reader: &Reader<'_>, actor: &Actor, customer: &Customer, around: &Around) -> Vec<Facts> {
    let (l, id) = (reader.l, customer.id);
    let may = |verb| actor.rights.covers(Object::Customer, verb, &customer.facts());
    let may_update = may(Verb::Update);
    // Where a field is edited in place; nowhere for what the actor may only read.
    let edit = |key: &str| {
        if may_update && customer.withheld.rule(key) == FieldRule::Edit {
            format!("/customers/{id}/fields/{key}")
        } else {
            String::new()
        }
    };
    let mut all = Vec::new();
    for group in Group::ALL {
        let mut facts: Vec<Fact> = SPECS
            .iter()
            .filter(|s| s.group == group && s.applies_to(customer.kind) && !customer.withheld.hides(s.key))
            .map(|spec| {
                let shown = reader.field(spec, customer.get(spec.field));
                let history = if WITH_HISTORY.contains(&spec.field) {
                    format!("/customers/{id}?tab=history&field={}", spec.key)
                } else {
                    String::new()
                };
                Fact {
                    label: l.t(spec.zh).to_owned(),
                    wide: shown.look == "long",
                    shown,
                    edit: edit(spec.key),
                    history,
                }
            })
            .collect();
        if group == Group::Basic {
            let owner = if may_update && may(Verb::Assign) {
                format!("/customers/{id}/fields/owner_id")
            } else {
                String::new()
            };
            facts.push(fact(reader, customer, "负责人", "owner_id", owner));
            facts.push(fact(reader, customer, "标签", "tags", edit("tags")));
        }
        if group == Group::Business
            && let Some((at, by)) = &around.credit_noted
            && !customer.get(Field::CreditStatus).is_empty()
        {
            let noted = Shown::text(format!("{}  {by}", reader.zone.minute(*at)));
            let label = l.t("信用状况记录于").to_owned();
            facts.push(Fact {
                label,
                shown: noted,
                edit: String::new(),
                history: String::new(),
                wide: false,
            });
        }
        all.push(Facts { title: l.t(group.title()).to_owned(), facts });
    }
    all.insert(1, served(reader, around.strategy.as_ref()));
    let own: Vec<Fact> = reader
        .catalogue
        .custom_fields
        .iter()
        .filter(|f| f.is_active && (f.applies_to.is_empty() || f.applies_to == customer.kind.code()))
        .filter(|f| !customer.withheld.hides(&format!("custom.{}", f.key)))
        .map(|field| {
            let name = format!("custom.{}", field.key);
            let shown = reader.column(customer, &name);
            let wide = shown.look == "long";
            let edit = edit(&name);
            Fact { label: field.title.clone(), shown, edit, history: String::new(), wide }
        })
        .collect();
    if !own.is_empty() {
        all.push(Facts { title: l.t("公司自定义信息").to_owned(), facts: own });
    }
    let marked: Vec<Fact> = around
        .marks
        .iter()
        .map(|(scheme, codes)| {
            let dictionary = reader.catalogue.dictionary(scheme);
            let words: Vec<String> = codes.iter().map(|c| dictionary.title(c, l).to_owned()).collect();
            Fact {
                label: l.pick(&dictionary.zh, &dictionary.en).to_owned(),
                shown: Shown { look: "words", text: words.join("、"), words, ..Shown::default() },
                edit: if may_update {
                    format!("/customers/{id}/fields/mark.{scheme}")
                } else {
                    String::new()
                },
                history: String::new(),
                wide: false,
            }
        })
        .collect();
    all.push(Facts { title: l.t("分类").to_owned(), facts: marked });
    let kept = [
        ("客户编号", "number"),
        ("客户性质", "kind"),
        ("建档时间", "created_at"),
        ("最近修改", "updated_at"),
    ];
    let mut facts: Vec<Fact> =
        kept.iter().map(|(zh, name)| fact(reader, customer, zh, name, String::new())).collect();
    for (zh, person) in [("建档人", customer.created_by), ("修改人", customer.updated_by)] {
        let shown = Shown::text(reader.person(Some(person)));
        let label = l.t(zh).to_owned();
        facts.push(Fact { label, shown, edit: String::new(), history: String::new(), wide: false });
    }
    all.push(Facts { title: l.t("系统信息").to_owned(), facts });
    all
}

/// How the customer is served (GM-03): the most specific strategy that fits, and why it is this one.
fn served(reader: &Reader<'_>, fit: Option<&Fit>) -> Facts {
    let l = reader.l;
    let fact = |label: &str, shown: Shown| Fact {
        label: l.t(label).to_owned(),
        wide: shown.look == "long",
        shown,
        edit: String::new(),
        history: String::new(),
    };
    let title = l.t("服务策略").to_owned();
    let Some(Fit { strategy, wider }) = fit else {
        let none = Shown::text(l.t("没有适用的服务策略"));
        return Facts { title, facts: vec![fact("适用策略", none)] };
    };
    let href = format!("/admin/service-strategies/{}", strategy.id);
    let named = Shown { look: "link", text: strategy.name.clone(), href, ..Shown::default() };
    let group: Vec<String> = strategy
        .group(reader.catalogue, l)
        .into_iter()
        .map(|(title, value)| l.f("{}为{}", &[&l.t(title), &value]))
        .collect();
    let mut why = l.f("符合：{}", &[&group.join(l.t("、"))]);
    if !wider.is_empty() {
        why.push_str(&l.f("；比{}更具体", &[&wider.iter().map(|n| l.f("“{}”", &[n])).collect::<String>()]));
    }
    let long = |text: &str| Shown { look: "long", text: text.to_owned(), ..Shown::default() };
    let facts = [
        fact("适用策略", named),
        fact("适用原因", Shown::text(why)),
        fact("需求特点", long(&strategy.needs)),
        fact("服务内容", long(&strategy.content)),
        fact("联系周期", Shown::text(strategies::web::rhythm(strategy, l))),
        fact("联系渠道", Shown::text(&strategy.channel)),
        fact("责任岗位", Shown::text(&strategy.post)),
        fact("生效日期", Shown::text(&strategy.valid_from)),
        fact("备注", long(&strategy.note)),
    ];
    Facts { title, facts: facts.into_iter().filter(|f| !f.shown.text.is_empty()).collect() }
}

fn fact(reader: &Reader<'_>, customer: &Customer, zh: &str, name: &str, edit: String) -> Fact {
    let shown = reader.column(customer, name);
    Fact { label: reader.l.t(zh).to_owned(), shown, edit, history: String::new(), wide: false }
}

/// Takes a customer into the recycle bin.
pub(super) async fn delete(
    State(app): State<App>,
    actor: Actor,
    page: Page,
    Path(id): Path<CustomerId>,
    headers: HeaderMap,
) -> Result<Response, AppError> {
    let (me, now) = (actor.clone(), app.now());
    let name = app
        .db
        .write(move |tx| {
            let name = customers::load_for(tx, &me, Object::Customer, Verb::Delete, id)?.name().to_owned();
            customers::remove(tx, &me, id, None, now)?;
            Ok::<_, AppError>(name)
        })
        .await?;
    let own_page = format!("/customers/{id}");
    if !page.is_htmx || current_path(&headers).starts_with(&own_page) {
        return Ok(redirect(page.is_htmx, &format!("/customers?deleted={id}")));
    }
    let said = actor.lang.f("已删除“{}”", &[&name]);
    let undo = format!("/customers/{id}/restore");
    let events = json!({
        "toast": { "text": said, "kind": "good", "undo": undo }, "closeDrawer": {}, "refreshList": {},
    });
    Ok(trigger(StatusCode::OK.into_response(), &events))
}

/// The path of the page htmx asks from.
pub(super) fn current_path(headers: &HeaderMap) -> String {
    let address = headers.get("hx-current-url").and_then(|v| v.to_str().ok()).unwrap_or_default();
    let path = address.split_once("://").and_then(|(_, rest)| rest.find('/').map(|at| &rest[at..]));
    path.unwrap_or_default().split(['?', '#']).next().unwrap_or_default().to_owned()
}

/// Brings a customer back from the recycle bin.
pub(super) async fn restore(
    State(app): State<App>,
    Administrator(actor): Administrator,
    page: Page,
    Path(id): Path<CustomerId>,
    headers: HeaderMap,
) -> Result<Response, AppError> {
    let (me, now) = (actor.clone(), app.now());
    let customers::Restored { customer, taken_by } =
        app.db.write(move |tx| customers::restore(tx, &me, id, now)).await?;
    if !page.is_htmx || current_path(&headers) == "/admin/recycle" {
        let taken = taken_by.map(|other| format!("&taken_by={other}")).unwrap_or_default();
        return Ok(redirect(page.is_htmx, &format!("/admin/recycle?restored={id}{taken}")));
    }
    let said = match taken_by {
        Some(_) => {
            actor.lang.f("已恢复“{}”，原编号已被使用，新编号是 {}", &[&customer.name(), &customer.number])
        }
        None => actor.lang.f("已恢复“{}”", &[&customer.name()]),
    };
    let events = json!({ "toast": { "text": said, "kind": "good" }, "refreshList": {} });
    Ok(trigger(StatusCode::OK.into_response(), &events))
}
