//! Why somebody can or cannot see a customer: for oneself always, for others for those who grant roles.

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use super::tabs;
use crate::access::{Actor, Object, Verb};
use crate::app::App;
use crate::customers::{self, ListQuery};
use crate::error::AppError;
use crate::i18n::Lang;
use crate::ids::{CustomerId, PersonId};
use crate::roles::explain::{self, Explanation};
use crate::roles::words;
use crate::web::{Page, QueryData, Shell, Tab, html};

#[derive(Template)]
#[template(path = "roles/explain.html")]
struct ExplainPage {
    l: Lang,
    shell: Shell,
    tabs: Vec<Tab>,
    /// Whether others may be asked about.
    may_ask: bool,
    /// What bars the reader himself from customers.
    bar: String,
    person_id: String,
    person: String,
    customer_id: String,
    customer: String,
    found: Option<Explanation>,
}

impl ExplainPage {
    fn decided(&self, decision: &str) -> (&str, &'static str) {
        match decision {
            "permit" => (self.l.t("可以"), "green"),
            "refuse" => (self.l.t("看得到，但不能操作"), "amber"),
            _ => (self.l.t("看不到"), "red"),
        }
    }
}

pub(super) async fn show(
    State(app): State<App>,
    actor: Actor,
    page: Page,
    QueryData(asked): QueryData,
) -> Result<Response, AppError> {
    let l = page.l;
    let person = match asked.get("person") {
        "" => actor.person_id,
        text => text.parse::<PersonId>().map_err(|_| AppError::NotFound)?,
    };
    let may_ask = actor.may(Object::Role, Verb::Update);
    let customer = match asked.get("customer") {
        "" => None,
        text => Some(text.parse::<CustomerId>().map_err(|_| AppError::NotFound)?),
    };
    let words = words(&app, l).await?;
    let name = words.directory.member(person).map_or_else(String::new, |m| m.name.clone());
    let found = match customer {
        None => None,
        Some(customer) => {
            let (me, now) = (actor.clone(), app.now());
            let found =
                app.db.read(move |conn| explain::explain(conn, &me, &words, person, customer)).await?;
            if person != actor.person_id {
                let (noted, me) = (found.clone(), actor.clone());
                app.db.write(move |tx| explain::note(tx, &me, &noted, now)).await?;
            }
            Some(found)
        }
    };
    let crumbs: &[(&str, &str)] = if may_ask {
        &[("系统管理", "/admin/people"), ("角色与授权", super::HOME), ("权限说明", "")]
    } else {
        &[("权限说明", "")]
    };
    html(&ExplainPage {
        l,
        shell: page.shell(crumbs),
        tabs: if may_ask { tabs(l, "/admin/explain") } else { Vec::new() },
        may_ask,
        bar: actor.rights.bar.map_or_else(String::new, |bar| bar.text().to(l)),
        person_id: person.to_string(),
        person: name,
        customer_id: customer.map_or_else(String::new, |c| c.to_string()),
        customer: found.as_ref().map_or_else(String::new, |f| f.customer.clone()),
        found,
    })
}

#[derive(Template)]
#[template(path = "roles/options.html")]
struct Options {
    l: Lang,
    options: Vec<(CustomerId, String, String)>,
}

/// Customers to choose from: those the asking person may read.
pub(super) async fn find_customers(
    State(app): State<App>,
    actor: Actor,
    page: Page,
    QueryData(asked): QueryData,
) -> Result<Response, AppError> {
    let q: String = asked.get("q").chars().filter(|c| !c.is_control()).take(60).collect();
    let query = ListQuery { q, limit: 10, ..ListQuery::default() };
    let found = app.db.read(move |conn| customers::list(conn, &actor, &query)).await?;
    let options = found.items.iter().map(|c| (c.id, c.name().to_owned(), c.number.clone())).collect();
    html(&Options { l: page.l, options })
}
