//! The table of routes: every route has its expected answer for every role, and the OpenAPI document holds exactly
//! the API's routes.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::header;
use kehu::router;
use kehu::web::{Need, RouteInfo};
use serde_json::{Value as Json, json};

use crate::app::DataScope;
use crate::{Answer, Client, TestApp, both, roles};

/// A path with its places filled by an id nobody has.
fn concrete(path: &str) -> String {
    let mut filled = String::new();
    for part in path.split('/').skip(1) {
        filled.push('/');
        filled.push_str(if part.starts_with('{') { "01M2Z8Q4T7V0K" } else { part });
    }
    filled
}

/// What somebody may do, as far as the table asks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Who {
    Stranger,
    /// Works with his own customers.
    Staff,
    /// Keeps organisation, roles, dictionaries, strategies and reads the log, but has no customers.
    Keeper,
    /// Reads every customer and changes nothing.
    Reader,
    Administrator,
}

impl Who {
    fn name(self) -> &'static str {
        match self {
            Self::Stranger => "stranger",
            Self::Staff => "staff",
            Self::Keeper => "keeper",
            Self::Reader => "reader",
            Self::Administrator => "administrator",
        }
    }

    /// What the table promises him.
    fn may(self, need: Need) -> bool {
        match need {
            Need::Public => true,
            Need::SignedIn => self != Self::Stranger,
            Need::May(..) => matches!(self, Self::Keeper | Self::Administrator),
            Need::Administrator => self == Self::Administrator,
        }
    }

    /// Whether a route for whoever is signed in may refuse him all the same: it needs a right on customers that he has
    /// on none.
    fn lacks_customers(self, route: &RouteInfo) -> bool {
        let needs = |name: &str| route.path.trim_start_matches("/api/v1").starts_with(name);
        match self {
            Self::Keeper => CUSTOMER_RIGHTS.iter().any(|name| needs(name)),
            Self::Reader => {
                route.method != "GET" && CUSTOMER_RIGHTS.iter().any(|name| needs(name))
                    || NEEDS_MORE.contains(&&*route.path)
            }
            _ => false,
        }
    }
}

/// Where routes for whoever is signed in ask for a right on some customer before they look at anything else.
const CUSTOMER_RIGHTS: &[&str] = &["/customers", "/imports", "/assignments", "/duplicates"];
/// Pages that need more than reading.
const NEEDS_MORE: &[&str] =
    &["/customers/export", "/api/v1/customers/export", "/customers/duplicates", "/api/v1/duplicates"];

/// Two people whom nothing but one role gives rights.
async fn keeper_and_reader(app: &TestApp) -> (Client<'_>, Client<'_>) {
    let admin = app.administrator().await.with_token().await;
    let grants = |pairs: &[(&str, &str)]| -> Json {
        pairs.iter().map(|(object, verb)| roles::grant(object, verb, "all")).collect::<Vec<_>>().into()
    };
    let keeps = grants(&[
        ("organisation", "update"),
        ("role", "update"),
        ("audit", "read"),
        ("catalogue", "update"),
        ("strategy", "update"),
    ]);
    let reads = grants(&["customer", "contact", "asset", "activity", "file"].map(|object| (object, "read")));
    let (keeper, reader) = (roles::bare(app, "keeper").await, roles::bare(app, "reader").await);
    roles::role(&admin, "keeping", keeps, json!([])).await;
    roles::role(&admin, "reading", reads, json!([])).await;
    roles::give(&admin, &keeper, "keeping").await;
    roles::give(&admin, &reader, "reading").await;
    let (keeper, reader) = (app.sign_in(keeper.person_id).await, app.sign_in(reader.person_id).await);
    (keeper, reader)
}

/// Asks a route the way its kind is asked.
async fn ask(client: &Client<'_>, method: &str, path: &str) -> Answer {
    let is_api = path.starts_with("/api/");
    let kind = if is_api { "application/json" } else { "application/x-www-form-urlencoded" };
    let request = client
        .request(method, path)
        .header(header::CONTENT_TYPE, kind)
        .header(header::IF_MATCH, "\"1\"")
        .body(Body::from(if is_api && method != "GET" { "{}" } else { "" }))
        .unwrap();
    client.app.send(request).await
}

/// What is wrong with an answer; `None` when it is as the table says.
fn problem(route: &RouteInfo, who: Who, answer: &Answer) -> Option<&'static str> {
    let (status, is_api) = (answer.status.as_u16(), route.path.starts_with("/api/"));
    let is_sent_to_login = status == 303 && answer.header("location").starts_with("/login");
    if status >= 500 {
        return Some("failed");
    }
    match (who.may(route.need), who) {
        (true, _) if status == 403 && who.lacks_customers(route) => {}
        (true, _) if matches!(status, 401 | 403 | 405) => return Some("refused"),
        (true, _) if route.need != Need::Public && is_sent_to_login => return Some("sent to the log-in"),
        (true, _) => {}
        (false, Who::Stranger) if status == 401 || is_sent_to_login && !is_api => {}
        (false, Who::Stranger) => return Some("let in"),
        (false, _) if status == 403 => {}
        (false, _) => return Some("not refused"),
    }
    let protecting = ["x-content-type-options", "content-security-policy", "cache-control", "x-request-id"];
    protecting.iter().any(|name| answer.header(name).is_empty()).then_some("without a protecting header")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_answers_every_role_as_the_table_says() {
    both(|app| async move {
        let admin = app.administrator().await;
        let staff = app.staff("li", DataScope::Own).await;
        let (keeper, reader) = keeper_and_reader(&app).await;
        let clients = [
            (Who::Stranger, app.stranger()),
            (Who::Staff, staff),
            (Who::Keeper, keeper),
            (Who::Reader, reader),
            (Who::Administrator, admin),
        ];
        let mut wrong = Vec::new();
        for route in router::table() {
            let path = concrete(&route.path);
            for (who, client) in &clients {
                if route.path == "/logout" && *who != Who::Stranger {
                    continue;
                }
                let answer = ask(client, route.method, &path).await;
                if let Some(problem) = problem(&route, *who, &answer) {
                    let status = answer.status.as_u16();
                    wrong.push(format!(
                        "{} {} as {}: {status}, {problem}",
                        route.method,
                        route.path,
                        who.name()
                    ));
                }
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    })
    .await;
}

/// An answer without what differs from one request to the next.
fn told(answer: &Answer, id: &str) -> (u16, String) {
    (answer.status.as_u16(), answer.text().replace(id, "ID"))
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_elses_customer_is_answered_on_every_route_like_one_nobody_has() {
    both(|app| async move {
        let li = app.staff("li", DataScope::Own).await;
        let theirs = app.staff("wang", DataScope::Own).await;
        let theirs = theirs.customer(json!({ "kind": "person", "name": "别人的客户" })).await;
        let (theirs, nobodys) = (theirs["id"].as_str().unwrap(), "01M2Z8Q4T7V0K");
        let (mut wrong, mut count) = (Vec::new(), 0);
        for route in router::table() {
            let root =
                ["/customers/{id}", "/api/v1/customers/{id}"].into_iter().find(|r| route.path.starts_with(r));
            let Some(root) = root else { continue };
            count += 1;
            let (root, rest) = route.path.split_at(root.len());
            let path = |id: &str| {
                format!(
                    "{}{}",
                    root.replace("{id}", id),
                    if rest.is_empty() { String::new() } else { concrete(rest) }
                )
            };
            let hidden = ask(&li, route.method, &path(theirs)).await;
            let missing = ask(&li, route.method, &path(nobodys)).await;
            let (hidden, missing) = (told(&hidden, theirs), told(&missing, nobodys));
            // What is wrong with an empty form may be said before anything is looked for; it tells nothing.
            let is_said_before = route.method != "GET" && matches!(hidden.0, 400 | 415 | 422);
            // A part of a page leads to the page, which is not there; what only administrators do is refused at the door.
            let leads_on = route.method == "GET" && hidden.0 == 303;
            let is_closed = route.need == Need::Administrator && hidden.0 == 403;
            if hidden != missing || !(hidden.0 == 404 || is_said_before || leads_on || is_closed) {
                wrong.push(format!("{} {}: {} and {}", route.method, route.path, hidden.0, missing.0));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        assert!(count > 20, "{count}");
        assert!(app.number("SELECT COUNT(*) FROM audit_log WHERE action = 'access.hidden'").await > 20);
    })
    .await;
}

#[test]
fn the_openapi_document_holds_exactly_the_routes_of_the_api() {
    let document = serde_json::to_value(router::openapi()).unwrap();
    assert_eq!(document["openapi"], "3.1.0");
    let mut described = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            described.insert((method.to_uppercase(), path.clone()));
        }
    }
    let live: BTreeSet<_> = router::table()
        .into_iter()
        .filter(|r| r.path.starts_with("/api/v1/"))
        .map(|r| (r.method.to_owned(), r.path))
        .collect();
    assert_eq!(described, live);
    assert!(!live.is_empty());
}

#[test]
fn every_call_of_the_api_describes_its_problems() {
    let document = serde_json::to_value(router::openapi()).unwrap();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let responses = operation["responses"].as_object().unwrap();
            let said = format!("{method} {path}");
            for status in ["401", "403", "500", "503"] {
                assert!(responses.contains_key(status), "{said} without {status}");
            }
            for (status, response) in responses.iter().filter(|(s, _)| s.starts_with(['4', '5'])) {
                let content = response["content"].as_object().unwrap();
                assert_eq!(
                    content.keys().collect::<Vec<_>>(),
                    ["application/problem+json"],
                    "{said} {status}"
                );
            }
            let is_file = ["/api/v1/files", "/api/v1/case-files"].contains(&path.as_str());
            let has_key = operation["parameters"].to_string().contains("Idempotency-Key");
            assert_eq!(has_key, method == "post" && !is_file, "{said}");
        }
    }
}

#[tokio::test]
async fn what_no_handler_answers_is_a_problem_document_too() {
    both(|app| async move {
        let client = app.administrator().await.with_token().await;
        let answer = client.json("PUT", "/api/v1/customers", json!({})).await.expect(405);
        assert_eq!(answer.header("content-type"), "application/problem+json");
        let allowed: BTreeSet<_> = answer.header("allow").split(',').map(str::to_owned).collect();
        assert_eq!(allowed, BTreeSet::from(["GET", "HEAD", "POST"].map(str::to_owned)));
        assert_eq!(answer.json()["code"], "method_not_allowed");
        for path in ["/api/v1/nothing", "/api/v1/customers/%FF", "/api/v1/customers/x", "/api/v1/imports/%00"]
        {
            let answer = client.get(path).await.expect(404);
            assert_eq!(answer.header("content-type"), "application/problem+json", "{path}");
        }
        for path in
            ["/api/v1/customers?q=%00", "/api/v1/people?limit=", "/api/v1/people?limit=99999999999999999999"]
        {
            client.get(path).await.expect(422);
        }
        let named = |name: &str| json!({ "kind": "organisation", "name": name });
        client.json("POST", "/api/v1/customers", named("甲\u{0}")).await.expect(422);
        let key = [("idempotency-key", "a b")];
        client.json_with("POST", "/api/v1/customers", named("甲"), &key).await.expect(422);
        let send = |body: String| {
            let request =
                client.request("POST", "/api/v1/customers").header("content-type", "application/json");
            app.send(request.body(body.into()).unwrap())
        };
        send(r#"{"kind":"organisation","name":"\ud800"}"#.to_owned()).await.expect(400);
        send(format!(r#"{{"custom":{}{}}}"#, "[".repeat(5000), "]".repeat(5000))).await.expect(400);
        send(r#"{"kind":"organisation","name":1e999}"#.to_owned()).await.expect(400);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_question_is_endless() {
    both(|app| async move {
        let admin = app.administrator().await;
        let program = admin.with_token().await;
        let endless = "1".repeat(60_000);
        for path in ["people?q=", "cases/none?mark=", "cases/none?step=", "cases/none?q="] {
            program.get(&format!("/api/v1/{path}{endless}")).await.expect(422);
        }
        // A page looks for the beginning of it, and says no more of it.
        for path in
            ["/admin/units", "/admin/people", "/admin/roles", "/admin/post-roles", "/admin/role-grants"]
        {
            let page = admin.get(&format!("{path}?q={endless}")).await.expect(200).text();
            assert!(!page.contains(&"1".repeat(101)), "{path}");
        }
    })
    .await;
}
