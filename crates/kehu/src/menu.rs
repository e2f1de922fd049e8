//! The menu on the left, by role.

use crate::access::Actor;
use crate::web::{Hooks, MenuItem};
use crate::{imports, tasks};

/// What the floors below know of the features: for `App::new`.
pub const HOOKS: Hooks = Hooks { menu, todo_count: tasks::count, jobs: imports::JOBS };

/// (source text, address, icon, letter after G)
const EVERYBODY: [(&str, &str, &str, &str); 5] = [
    ("工作台", "/", "home", "h"),
    ("客户", "/customers", "users", "c"),
    ("待办", "/tasks", "checklist", "t"),
    ("动态", "/activities", "history", ""),
    ("导入", "/imports", "file-import", ""),
];

/// What everybody may read and administrators change.
const STRATEGIES: (&str, &str) = ("服务策略", "/admin/service-strategies");

const ADMINISTRATION: [(&str, &str); 8] = [
    ("人员", "/admin/people"),
    ("字典", "/admin/dictionaries"),
    ("客户字段", "/admin/fields"),
    STRATEGIES,
    ("API 令牌", "/admin/tokens"),
    ("操作日志", "/admin/audit"),
    ("登录日志", "/admin/logins"),
    ("回收站", "/admin/recycle"),
];

/// While the demonstration is not cleared.
const DEMONSTRATION: (&str, &str) = ("演示数据", "/admin/demo");

/// The menu for an actor on a path; `is_demo` tells whether the company is the demonstration.
pub fn menu(actor: &Actor, path: &str, is_demo: bool) -> Vec<MenuItem> {
    let l = actor.lang;
    let is_here = |href: &str| path == href || (href != "/" && path.starts_with(&format!("{href}/")));
    let mut items: Vec<MenuItem> = EVERYBODY
        .iter()
        .map(|(title, href, icon, go)| MenuItem {
            title: l.t(title).to_owned(),
            href: (*href).to_owned(),
            icon,
            go,
            active: is_here(href),
            ..MenuItem::default()
        })
        .collect();
    if actor.is_administrator() {
        items.push(MenuItem {
            title: l.t("系统管理").to_owned(),
            icon: "settings",
            active: path.starts_with("/admin/"),
            children: ADMINISTRATION
                .iter()
                .chain(is_demo.then_some(&DEMONSTRATION))
                .map(|(title, href)| MenuItem {
                    title: l.t(title).to_owned(),
                    href: (*href).to_owned(),
                    active: is_here(href),
                    ..MenuItem::default()
                })
                .collect(),
            ..MenuItem::default()
        });
    } else {
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
