//! The menu on the left, by what a person may do.

use store::Conn;

use crate::access::{Actor, Object, Verb};
use crate::clock::Millis;
use crate::jobs::Kind;
use crate::web::{Hooks, MenuItem, Module};
use crate::{
    assignments, auth, backups, cases, customers, duties, files, imports, jobs, mail, notices, org,
    penalties, policies, reports, rosters, tasks, workbench,
};

/// What the floors below know of the features: for `App::new`.
pub const HOOKS: Hooks = Hooks {
    menu,
    modules: policies::modules,
    todo_count,
    tasks_about: assignments::count_about,
    cases_about: cases::count_about,
    unread_notices: notices::unread,
    holds_customers,
    jobs: &JOBS,
    recurring: &[
        backups::RECURRING[0],
        cases::RECURRING[0],
        reports::RECURRING[0],
        duties::RECURRING[0],
        mail::RECURRING[0],
    ],
    parameters: &[
        backups::PARAMETERS,
        auth::PARAMETERS,
        files::PARAMETERS,
        customers::PARAMETERS,
        jobs::PARAMETERS,
        workbench::PARAMETERS,
        cases::PARAMETERS,
    ],
};

/// What waits of customers, of rosters, of cases and of penalties.
fn todo_count(conn: &mut Conn<'_>, actor: &Actor, today: &str, now: Millis) -> store::Result<i64> {
    Ok(tasks::count(conn, actor, today)?
        + rosters::waiting(conn, actor, now)?
        + cases::waiting_count(conn, actor)?
        + penalties::waiting_count(conn, actor)?)
}

const OLDER: [Kind; imports::JOBS.len() + org::JOBS.len()] = both(imports::JOBS, org::JOBS);
const OLD: [Kind; OLDER.len() + backups::JOBS.len()] = both(&OLDER, backups::JOBS);
const OF_CASES: [Kind; OLD.len() + cases::JOBS.len()] = both(&OLD, cases::JOBS);
const OF_REPORTS: [Kind; OF_CASES.len() + reports::JOBS.len()] = both(&OF_CASES, reports::JOBS);
const OF_DUTIES: [Kind; OF_REPORTS.len() + duties::JOBS.len()] = both(&OF_REPORTS, duties::JOBS);
const JOBS: [Kind; OF_DUTIES.len() + mail::JOBS.len()] = both(&OF_DUTIES, mail::JOBS);

/// Two lists of kinds of jobs as one.
const fn both<const N: usize>(first: &[Kind], second: &[Kind]) -> [Kind; N] {
    let mut all = [first[0]; N];
    let mut at = 1;
    while at < N {
        all[at] = if at < first.len() { first[at] } else { second[at - first.len()] };
        at += 1;
    }
    all
}

/// (source text, address, icon, letter after G)
const EVERYBODY: [(&str, &str, &str, &str); 11] = [
    ("工作台", "/", "home", "h"),
    ("客户", "/customers", "users", "c"),
    ("待办", "/tasks", "checklist", "t"),
    ("单据", "/cases", "files", "d"),
    ("交办", "/assignments", "send", ""),
    ("动态", "/activities", "history", ""),
    ("值班", "/rosters", "calendar-time", ""),
    ("制度", "/policies", "gavel", ""),
    ("罚则", "/penalties", "scale-outline", ""),
    ("报表", "/reports", "report-analytics", ""),
    ("导入", "/imports", "file-import", ""),
];

/// What everybody may read and administrators change.
const STRATEGIES: (&str, &str) = ("服务策略", "/admin/service-strategies");

/// Source text, address, the permission it needs; `None` for administrators only.
type Page = (&'static str, &'static str, Option<(Object, Verb)>);

const ADMINISTRATION: [Page; 18] = [
    ("系统维护", "/admin/maintenance", None),
    ("组织", "/admin/units", Some((Object::Organisation, Verb::Update))),
    ("人员", "/admin/people", Some((Object::Organisation, Verb::Update))),
    ("角色与授权", "/admin/roles", Some((Object::Role, Verb::Update))),
    ("客户信息人员", "/admin/handlers", Some((Object::Role, Verb::Update))),
    ("代理与专长", "/admin/delegations", Some((Object::Organisation, Verb::Update))),
    ("职责分工", "/admin/processes", Some((Object::Organisation, Verb::Update))),
    ("字典", "/admin/dictionaries", Some((Object::Catalogue, Verb::Update))),
    ("客户字段", "/admin/fields", Some((Object::Catalogue, Verb::Update))),
    (STRATEGIES.0, STRATEGIES.1, Some((Object::Strategy, Verb::Update))),
    ("参数", "/admin/parameters", None),
    ("工作日历", "/admin/calendar", None),
    ("邮件", "/admin/mail", None),
    ("备份", "/admin/backups", None),
    ("API 令牌", "/admin/tokens", None),
    ("操作日志", "/admin/audit", Some((Object::Audit, Verb::Read))),
    ("登录日志", "/admin/logins", Some((Object::Audit, Verb::Read))),
    ("回收站", "/admin/recycle", None),
];

/// While the demonstration is not cleared.
const DEMONSTRATION: Page = ("演示数据", "/admin/demo", None);

/// Where customers are shown or changed; below them too.
const CUSTOMER_PAGES: [&str; 15] = [
    "/assignments",
    "/briefings",
    "/cases",
    "/customers",
    "/contacts",
    "/customer-assets",
    "/activities",
    "/tasks",
    "/search",
    "/imports",
    "/notices",
    "/desks",
    "/reports",
    "/files",
    "/admin/recycle",
];

/// Proposals of colleagues, and the palette: they show no customer to whoever may not see any.
const WITHOUT_CUSTOMERS: [&str; 2] = ["/customers/owners", "/search/menu"];

/// Whether the page of a path holds customer information: whoever has not signed is led away from it.
fn holds_customers(path: &str) -> bool {
    let is_below = |page: &&str| path.strip_prefix(*page).is_some_and(|r| r.is_empty() || r.starts_with('/'));
    // The cases behind the numbers of compliance stand below the regulation, whose text everybody reads.
    let is_behind = path.starts_with("/policies/")
        && path.contains("/compliance/")
        && !["/compliance/export", "/compliance/paper"].iter().any(|figures| path.ends_with(figures));
    path == "/" || is_behind || CUSTOMER_PAGES.iter().any(is_below) && !WITHOUT_CUSTOMERS.contains(&path)
}

/// Behind which entry of `EVERYBODY` the modules stand.
const BEFORE_MODULES: &str = "/cases";

/// The menu for an actor on a path; `is_demo` tells whether the company is the demonstration.
pub fn menu(actor: &Actor, path: &str, modules: &[Module], is_demo: bool) -> Vec<MenuItem> {
    let l = actor.lang;
    let is_here = |href: &str| path == href || (href != "/" && path.starts_with(&format!("{href}/")));
    let mut items: Vec<MenuItem> = EVERYBODY
        .iter()
        .filter(|(_, href, ..)| *href != "/imports" || actor.may(Object::Customer, Verb::Import))
        .map(|(title, href, icon, go)| MenuItem {
            title: l.t(title).to_owned(),
            href: (*href).to_owned(),
            icon,
            go,
            active: is_here(href),
            ..MenuItem::default()
        })
        .collect();
    let at = items.iter().position(|item| item.href == BEFORE_MODULES).map_or(items.len(), |at| at + 1);
    let module = |(id, title): &Module| {
        let href = format!("/desks/{id}");
        let active = is_here(&href);
        MenuItem { title: title.clone(), href, icon: "clipboard-list", active, ..MenuItem::default() }
    };
    items.splice(at..at, modules.iter().map(module));
    let may = |need: &Option<(Object, Verb)>| match need {
        Some((object, verb)) => actor.may(*object, *verb),
        None => actor.is_administrator(),
    };
    let is_demo = is_demo.then_some(&DEMONSTRATION);
    let children: Vec<_> = ADMINISTRATION.iter().chain(is_demo).filter(|(.., need)| may(need)).collect();
    let has_strategies = children.iter().any(|(_, href, _)| *href == STRATEGIES.1);
    if !children.is_empty() {
        items.push(MenuItem {
            title: l.t("系统管理").to_owned(),
            icon: "settings",
            active: path.starts_with("/admin/"),
            children: children
                .into_iter()
                .map(|(title, href, _)| MenuItem {
                    title: l.t(title).to_owned(),
                    href: (*href).to_owned(),
                    active: is_here(href),
                    ..MenuItem::default()
                })
                .collect(),
            ..MenuItem::default()
        });
    }
    if !has_strategies {
        let (title, href) = STRATEGIES;
        items.push(MenuItem {
            title: l.t(title).to_owned(),
            href: href.to_owned(),
            icon: "heart",
            active: is_here(href),
            ..MenuItem::default()
        });
    }
    items
}
