//! The table of routes: every route has its expected answer for every role, and the OpenAPI document holds exactly
//! the API's routes.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::header;
use kehu::router;
use kehu::web::Need;
use serde_json::json;

use crate::app::DataScope;
use crate::both;

/// A path with its places filled by an id nobody has.
fn concrete(path: &str) -> String {
    let mut filled = String::new();
    for part in path.split('/').skip(1) {
        filled.push('/');
        filled.push_str(if part.starts_with('{') { "01M2Z8Q4T7V0K" } else { part });
    }
    filled
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_answers_every_role_as_the_table_says() {
    both(|app| async move {
        let admin = app.administrator().await;
        let staff = app.staff("li", DataScope::Own).await;
        let stranger = app.stranger();
        for route in router::table() {
            let path = concrete(&route.path);
            let is_api = path.starts_with("/api/");
            for (who, client) in [("stranger", &stranger), ("staff", &staff), ("administrator", &admin)] {
                if route.path == "/logout" && who != "stranger" {
                    continue;
                }
                let request = client
                    .request(route.method, &path)
                    .header(
                        header::CONTENT_TYPE,
                        if is_api { "application/json" } else { "application/x-www-form-urlencoded" },
                    )
                    .header(header::IF_MATCH, "\"1\"")
                    .body(Body::from(if is_api && route.method != "GET" { "{}" } else { "" }))
                    .unwrap();
                let answer = app.send(request).await;
                let status = answer.status.as_u16();
                let said = format!("{} {} as {who}: {status}", route.method, route.path);
                assert!(status < 500, "{said} {}", answer.text());
                let may = match route.need {
                    Need::Public => true,
                    Need::SignedIn => who != "stranger",
                    Need::May(..) | Need::Administrator => who == "administrator",
                };
                let is_sent_to_login = status == 303 && answer.header("location").starts_with("/login");
                match (may, who) {
                    (true, _) => {
                        assert!(!matches!(status, 401 | 403 | 405), "{said} {}", answer.text());
                        assert!(route.need == Need::Public || !is_sent_to_login, "{said}");
                    }
                    (false, "stranger") if is_api => assert_eq!(status, 401, "{said}"),
                    (false, "stranger") => assert!(is_sent_to_login || status == 401, "{said}"),
                    (false, _) => assert_eq!(status, 403, "{said}"),
                }
                for name in
                    ["x-content-type-options", "content-security-policy", "cache-control", "x-request-id"]
                {
                    assert!(!answer.header(name).is_empty(), "{said} without {name}");
                }
            }
        }
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
