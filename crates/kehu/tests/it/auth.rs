//! Set-up, log-in, sessions, tokens and what every request is protected by.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Body;
use axum::http::header;
use kehu::access::Actor;
use kehu::app::App;
use kehu::{auth, org, router};
use tokio::task::JoinSet;
use tower::ServiceExt;

use crate::app::DataScope;
use crate::app::{NOW, PASSWORD};
use crate::{Answer, Client, TestApp, both, both_empty};

/// A password the rules accept; `PASSWORD` is one character too short for a page.
const GOOD: &str = "一句容易记住但很长的中文话";
const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;

async fn log_in(app: &TestApp, username: &str, password: &str, cookie: &str) -> Answer {
    let body = form_urlencoded::Serializer::new(String::new())
        .append_pair("username", username)
        .append_pair("password", password)
        .finish();
    let request = app
        .stranger()
        .request("POST", "/login")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::COOKIE, cookie)
        .body(Body::from(body))
        .unwrap();
    app.send(request).await
}

/// `name=value` of a cookie an answer sets; empty when it does not.
fn set_cookie(answer: &Answer, name: &str) -> String {
    let all = answer.headers.get_all(header::SET_COOKIE);
    let texts = all.iter().filter_map(|v| v.to_str().ok());
    let found = texts.filter_map(|t| t.split(';').next()).find(|t| t.starts_with(&format!("{name}=")));
    found.unwrap_or_default().to_owned()
}

async fn get_with(app: &TestApp, path: &str, cookie: &str) -> Answer {
    let request = app.stranger().request("GET", path).header(header::COOKIE, cookie);
    app.send(request.body(Body::empty()).unwrap()).await
}

// covers: IP-04
#[tokio::test(flavor = "multi_thread")]
async fn fifty_set_ups_at_once_make_one_administrator() {
    both_empty(|app| async move {
        assert_eq!(app.stranger().get("/login").await.header("location"), "/setup");
        let app = Arc::new(app);
        let mut all = JoinSet::new();
        for n in 0..50 {
            let app = Arc::clone(&app);
            all.spawn(async move {
                let username = format!("admin{n}");
                let values = [
                    ("company", "天江集团"),
                    ("name", "赵管理"),
                    ("username", &username),
                    ("password", GOOD),
                    ("password_again", GOOD),
                ];
                app.stranger().post_form("/setup", &values).await.status.as_u16()
            });
        }
        let mut answers = BTreeMap::new();
        while let Some(status) = all.join_next().await {
            *answers.entry(status.unwrap()).or_insert(0) += 1;
        }
        assert_eq!(answers.remove(&303), Some(1), "{answers:?}");
        assert!(answers.keys().all(|s| matches!(s, 409 | 503)), "{answers:?}");
        assert_eq!(app.number("SELECT COUNT(*) FROM people").await, 1);
        assert_eq!(app.number("SELECT COUNT(*) FROM company").await, 1);
        app.stranger().get("/setup").await.expect(303);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn set_up_from_elsewhere_needs_the_code_of_the_terminal() {
    both_empty(|app| async move {
        let far = |code: &str| {
            let body = form_urlencoded::Serializer::new(String::new())
                .extend_pairs([
                    ("company", "天江"),
                    ("name", "赵"),
                    ("username", "zhao"),
                    ("password", GOOD),
                    ("password_again", GOOD),
                    ("setup_code", code),
                ])
                .finish();
            let request = app.stranger().request("POST", "/setup").header("x-forwarded-for", "203.0.113.9");
            let form = "application/x-www-form-urlencoded";
            request.header(header::CONTENT_TYPE, form).body(Body::from(body)).unwrap()
        };
        for _ in 0..5 {
            app.send(far("guess")).await.expect(422);
        }
        for _ in 0..3 {
            app.send(far(&app.app.setup_code)).await.expect(429);
        }
        assert_eq!(noted(&app, "company.setup_refused", "code").await, 5);
        assert_eq!(noted(&app, "company.setup_refused", "throttled").await, 1);
        app.clock.advance(2_000);
        let done = app.send(far(&app.app.setup_code)).await.expect(303);
        let cookie = set_cookie(&done, auth::SESSION_COOKIE);
        let page = get_with(&app, "/me", &cookie).await.expect(200);
        assert!(page.text().contains("天江"));
    })
    .await;
}

// covers: IP-04
#[tokio::test(flavor = "multi_thread")]
async fn guessing_gets_slower_also_after_a_restart_and_locks_nobody_out_of_his_own_browser() {
    both(|app| async move {
        let mine = log_in(&app, "admin", PASSWORD, "").await.expect(303);
        let device = set_cookie(&mine, "__Host-kehu-device");
        assert!(!device.is_empty());
        for _ in 0..5 {
            log_in(&app, "admin", "错的密码", "").await.expect(422);
        }
        // Now even the right password has to wait.
        let refused = log_in(&app, "admin", PASSWORD, "").await.expect(429);
        assert_eq!(refused.header("retry-after"), "1");
        // A server started anew knows it still.
        let (db, config, hooks) = (app.app.db.clone(), app.app.config.clone(), app.app.hooks);
        let again = App::new(db, config, app.clock.clone(), hooks).unwrap();
        let request = app
            .stranger()
            .request("POST", "/login")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(format!("username=admin&password={}", PASSWORD)))
            .unwrap();
        assert_eq!(router::build(&again).oneshot(request).await.unwrap().status().as_u16(), 429);
        // On the browser he has used before he is let in at once.
        log_in(&app, "admin", PASSWORD, &device).await.expect(303);
        // The wait doubles with each further try.
        for seconds in [2, 4, 8] {
            app.clock.advance(60_000);
            log_in(&app, "admin", "错的密码", "").await.expect(422);
            let refused = log_in(&app, "admin", PASSWORD, "").await.expect(429);
            assert_eq!(refused.header("retry-after"), seconds.to_string());
        }
        app.clock.advance(8_000);
        log_in(&app, "admin", PASSWORD, "").await.expect(303);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_name_wrong_password_and_disabled_account_get_the_same_answer() {
    both(|app| async move {
        let ghost = app.staff("ghost", DataScope::Own).await;
        let id = ghost.person_id.to_string();
        let admin = app.administrator().await;
        admin.post_form(&format!("/admin/people/{id}/active"), &[("active", "0")]).await.expect(303);
        let mut answers = Vec::new();
        for (name, password) in [("admin", "错的密码"), ("nobod", "错的密码"), ("ghost", PASSWORD)] {
            let answer = log_in(&app, name, password, "").await.expect(422);
            let mut headers = answer.headers.clone();
            headers.remove("x-request-id");
            headers.remove(header::DATE);
            answers.push((answer.text().replace(name, "NAME"), format!("{headers:?}")));
        }
        assert_eq!(answers[0], answers[1]);
        assert_eq!(answers[0], answers[2]);
        // Absurd input is no other case.
        let long = "长".repeat(300);
        for (name, password) in [(long.as_str(), "x"), ("admin", &long), ("a\u{0}b", "x")] {
            log_in(&app, name, password, "").await.expect(422);
        }
        let unread =
            "SELECT COUNT(*) FROM audit_log WHERE action = 'login.failed' AND after LIKE '%unacceptable%'";
        assert_eq!(app.number(unread).await, 2, "what is no form at all is nobody's log-in");
    })
    .await;
}

/// How many rows say so.
async fn noted(app: &TestApp, action: &'static str, reason: &'static str) -> i64 {
    let sql = format!("SELECT COUNT(*) FROM audit_log WHERE action = '{action}' AND after LIKE '%{reason}%'");
    app.app.db.read(move |conn| conn.count(&sql, &[])).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_tries_while_he_has_to_wait_is_noted_once_a_wait() {
    both(|app| async move {
        let late = || noted(&app, "login.failed", "throttled");
        for _ in 0..5 {
            log_in(&app, "admin", "错的密码", "").await.expect(422);
        }
        for _ in 0..10 {
            log_in(&app, "admin", "错的密码", "").await.expect(429);
        }
        assert_eq!(late().await, 1);
        app.clock.advance(MINUTE);
        log_in(&app, "admin", "错的密码", "").await.expect(422);
        for _ in 0..10 {
            log_in(&app, "admin", "错的密码", "").await.expect(429);
        }
        assert_eq!(late().await, 2, "another wait, another row");
        // What nobody's name can be counts against the address: its wait comes, and is noted once as well.
        let long = "长".repeat(300);
        let mut answers = BTreeMap::new();
        for _ in 0..40 {
            let status = log_in(&app, &long, "x", "").await.status.as_u16();
            *answers.entry(status).or_insert(0) += 1;
        }
        assert!(answers[&429] > 20, "{answers:?}");
        assert_eq!(noted(&app, "login.failed", "unacceptable").await, answers[&422]);
        assert_eq!(late().await, 3);
        // The account is nobody else's: whose tries they were is told.
        let whose = "SELECT COUNT(DISTINCT actor_id) FROM audit_log WHERE after LIKE '%throttled%'";
        assert_eq!(app.number(whose).await, 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn log_in_gives_a_new_session_and_ends_the_one_before() {
    both(|app| async move {
        let planted = format!("{}={}", auth::SESSION_COOKIE, "a".repeat(64));
        let first = log_in(&app, "admin", PASSWORD, &planted).await.expect(303);
        let first_cookie = set_cookie(&first, auth::SESSION_COOKIE);
        assert_ne!(first_cookie, planted);
        get_with(&app, "/me", &planted).await.expect(303);
        get_with(&app, "/me", &first_cookie).await.expect(200);
        let second = log_in(&app, "admin", PASSWORD, &first_cookie).await.expect(303);
        let second_cookie = set_cookie(&second, auth::SESSION_COOKIE);
        assert_ne!(second_cookie, first_cookie);
        get_with(&app, "/me", &first_cookie).await.expect(303);
        get_with(&app, "/me", &second_cookie).await.expect(200);
        for cookie in second.headers.get_all(header::SET_COOKIE) {
            let cookie = cookie.to_str().unwrap();
            if cookie.starts_with("__Host-") {
                for word in ["Path=/", "Secure", "HttpOnly", "SameSite=Lax"] {
                    assert!(cookie.contains(word), "{cookie}");
                }
            }
        }
        // When and from where he was here before is told; only a hash of the session is kept.
        let told = set_cookie(&second, "toast");
        assert!(told.contains("127%2E0%2E0%2E1"), "{told}");
        let secret = second_cookie.split('=').next_back().unwrap().to_owned();
        let stored = app.text("SELECT token_hash FROM sessions ORDER BY id DESC LIMIT 1").await;
        assert_ne!(stored, secret);
    })
    .await;
}

/// Whether somebody's credentials still open something.
async fn is_alive(client: &Client<'_>) -> bool {
    client.get("/api/v1/people").await.status.as_u16() == 200
}

#[tokio::test(flavor = "multi_thread")]
async fn what_takes_rights_away_ends_sessions_and_tokens_at_once() {
    both(|app| async move {
        let admin = app.administrator().await;
        for (n, act) in ["active", "role", "scope", "password"].into_iter().enumerate() {
            let staff = app.staff(&format!("staff{n}"), DataScope::Own).await;
            let program = staff.with_token().await;
            assert!(is_alive(&staff).await && is_alive(&program).await, "{act}");
            let path = format!("/admin/people/{}", staff.person_id);
            let name = format!("员工staff{n}");
            let values = |role: &'static str| {
                vec![
                    ("name", name.clone()),
                    ("has_roles", "1".into()),
                    ("roles", role.into()),
                    ("version", "1".into()),
                ]
            };
            let answer = match act {
                "active" => admin.post_form(&format!("{path}/active"), &[("active", "0")]).await.expect(303),
                "password" => admin.post_form(&format!("{path}/password"), &[]).await.expect(200),
                other => {
                    let values = values(if other == "role" { "0000000000001" } else { "0000000000003" });
                    let values: Vec<_> = values.iter().map(|(n, v)| (*n, v.as_str())).collect();
                    admin.post_form(&path, &values).await.expect(303)
                }
            };
            drop(answer);
            assert!(!is_alive(&staff).await, "session after {act}");
            assert!(!is_alive(&program).await, "token after {act}");
        }
        // Logging out ends this session, not the one on another machine.
        let here = app.staff("here", DataScope::Own).await;
        let there = app.sign_in(here.person_id).await;
        here.post_form("/logout", &[]).await.expect(303);
        assert!(!is_alive(&here).await && is_alive(&there).await);
        // A person ends the others himself, one by one or all at once.
        let third = app.sign_in(there.person_id).await;
        third.post_form("/me/sessions/end-others", &[]).await.expect(303);
        assert!(!is_alive(&there).await && is_alive(&third).await);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_after_thirty_idle_minutes_and_after_twelve_hours() {
    both(|app| async move {
        let staff = app.staff("li", DataScope::Own).await;
        let other = app.sign_in(staff.person_id).await;
        app.clock.advance(30 * MINUTE - 1);
        assert!(is_alive(&staff).await);
        app.clock.advance(1);
        assert!(!is_alive(&other).await, "idle for exactly 30 minutes");
        // Used all the time it still ends 12 hours after log-in.
        while app.clock.now() < NOW + 12 * HOUR - 20 * MINUTE {
            app.clock.advance(20 * MINUTE);
            assert!(is_alive(&staff).await, "{}", app.clock.now() - NOW);
        }
        app.clock.advance(NOW + 12 * HOUR - 1 - app.clock.now());
        assert!(is_alive(&staff).await);
        app.clock.advance(1);
        // What the cache believed for less than a second is over as well.
        app.clock.advance(1_000);
        assert!(!is_alive(&staff).await);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_works_until_it_ends_or_is_revoked_and_cannot_make_others() {
    both(|app| async move {
        let staff = app.staff("li", DataScope::Own).await;
        let page =
            staff.post_form("/me/tokens", &[("name", "同步"), ("days", "30")]).await.expect(200).text();
        let secret = page.split("kehu_").nth(1).unwrap().chars().take(64).collect::<String>();
        let secret = format!("kehu_{secret}");
        let call = |secret: String| {
            let request = app.stranger().request("GET", "/api/v1/people");
            app.send(
                request
                    .header(header::AUTHORIZATION, format!("Bearer {secret}"))
                    .body(Body::empty())
                    .unwrap(),
            )
        };
        call(secret.clone()).await.expect(200);
        for bad in ["", "kehu_", "kehu_0000", &secret[..68], &"x".repeat(5000)] {
            call(bad.to_owned()).await.expect(401);
        }
        // The secret is not shown again.
        assert!(!staff.get("/me").await.text().contains(&secret));
        // A session cookie beside a bad token does not help the token.
        let both_sent = staff.request("GET", "/api/v1/people").header(header::AUTHORIZATION, "Bearer kehu_x");
        app.send(both_sent.body(Body::empty()).unwrap()).await.expect(401);
        let program = staff.with_token().await;
        program.post_form("/me/tokens", &[("name", "x"), ("days", "0")]).await.expect(403);
        app.clock.advance(30 * 24 * HOUR - 1);
        call(secret.clone()).await.expect(200);
        app.clock.advance(1_001);
        call(secret.clone()).await.expect(401);
        assert!(is_alive(&program).await);
        let id = app.text("SELECT CAST(id AS TEXT) FROM api_tokens WHERE name = '测试'").await;
        let id = store::format_id(id.parse().unwrap());
        // Others cannot revoke it; an administrator can.
        let wang = app.staff("wang", DataScope::All).await;
        wang.post_form(&format!("/me/tokens/{id}/revoke"), &[]).await.expect(404);
        let admin = app.administrator().await;
        assert!(admin.get("/admin/tokens").await.text().contains("测试"));
        admin.post_form(&format!("/admin/tokens/{id}/revoke"), &[]).await.expect(303);
        assert!(!is_alive(&program).await);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_temporary_password_must_be_changed_before_anything_else() {
    both(|app| async move {
        let staff = app.staff("li", DataScope::Own).await;
        let admin = app.administrator().await;
        let path = format!("/admin/people/{}/password", staff.person_id);
        let page = admin.post_form(&path, &[]).await.expect(200).text();
        let secret =
            page.split("<code class=\"secret\">").nth(1).unwrap().split('<').next().unwrap().to_owned();
        assert_eq!(secret.len(), 19, "{secret}");
        let answer = log_in(&app, "li", &secret, "").await.expect(303);
        let cookie = set_cookie(&answer, auth::SESSION_COOKIE);
        for path in ["/", "/customers", "/me", "/me/sessions/end-others"] {
            let sent = get_with(&app, path, &cookie).await;
            assert!(
                sent.header("location") == "/me/password" || sent.status == 405,
                "{path} {}",
                sent.status
            );
        }
        get_with(&app, "/api/v1/people", &cookie).await.expect(403);
        let change = |current: &str, new: &str, again: &str| {
            let body = form_urlencoded::Serializer::new(String::new())
                .extend_pairs([("current", current), ("password", new), ("password_again", again)])
                .finish();
            let request = app.stranger().request("POST", "/me/password").header(header::COOKIE, &cookie);
            let form = "application/x-www-form-urlencoded";
            app.send(request.header(header::CONTENT_TYPE, form).body(Body::from(body)).unwrap())
        };
        change(&secret, "short", "short").await.expect(422);
        change(&secret, GOOD, "另一个很长很长的密码").await.expect(422);
        change(&secret, &secret, &secret).await.expect(422);
        for _ in 0..5 {
            change("不是这个密码不是这个密码", GOOD, GOOD).await.expect(422);
        }
        for _ in 0..3 {
            change(&secret, GOOD, GOOD).await.expect(429);
        }
        assert_eq!(noted(&app, "person.password_refused", "current").await, 5);
        assert_eq!(noted(&app, "person.password_refused", "throttled").await, 1);
        app.clock.advance(2_000);
        let done = change(&secret, GOOD, GOOD).await.expect(303);
        let renewed = set_cookie(&done, auth::SESSION_COOKIE);
        get_with(&app, "/me", &renewed).await.expect(200);
        get_with(&app, "/me", &cookie).await.expect(303);
        log_in(&app, "li", GOOD, "").await.expect(303);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_changing_route_refuses_what_another_site_sends_in_the_persons_name() {
    both(|app| async move {
        let admin = app.administrator().await;
        let cookie = format!("{}={}", auth::SESSION_COOKIE, admin.secret());
        let own = "http://127.0.0.1:8080";
        let forged: [&[(&str, &str)]; 6] = [
            &[],
            &[("origin", "https://evil.example")],
            &[("origin", "null")],
            &[("origin", "http://127.0.0.1:8081")],
            &[("sec-fetch-site", "cross-site"), ("origin", own)],
            &[("sec-fetch-site", "same-site")],
        ];
        let mut refused = 0;
        for route in router::table().into_iter().filter(|r| r.method != "GET") {
            let path: String = route.path.replace(['{', '}'], "");
            for headers in forged {
                let mut request = axum::http::Request::builder()
                    .method(route.method)
                    .uri(&path)
                    .header(header::HOST, "127.0.0.1:8080")
                    .header(header::COOKIE, &cookie);
                for (name, value) in headers {
                    request = request.header(*name, *value);
                }
                let answer = app.send(request.body(Body::empty()).unwrap()).await;
                assert_eq!(answer.status.as_u16(), 403, "{} {path} {headers:?}", route.method);
                refused += 1;
            }
        }
        // Each of them stands in the log in the name of him who was abused, and nothing else does.
        let noted = "SELECT COUNT(*) FROM audit_log WHERE action = 'access.refused' AND result = 'denied'
                     AND actor_id > 0 AND after LIKE '%path%'";
        assert_eq!(app.number(noted).await, refused);
        assert_eq!(app.number("SELECT COUNT(*) FROM audit_log WHERE action LIKE '%.deleted'").await, 0);
        // Without a session somebody is noted once a minute, whatever he calls himself and however often he comes.
        let strangers = "SELECT COUNT(*) FROM audit_log WHERE action = 'access.refused' AND actor_id = 0
                         AND ip = '127.0.0.1'";
        for minute in 1..=2 {
            for n in 0..5 {
                let request = axum::http::Request::post("/login").header(header::HOST, "127.0.0.1:8080");
                let request = match n {
                    0 => request,
                    _ => request.header(header::COOKIE, format!("{}={n:064x}", auth::SESSION_COOKIE)),
                };
                app.send(request.body(Body::empty()).unwrap()).await.expect(403);
            }
            assert_eq!(app.number(strangers).await, minute);
            app.clock.advance(MINUTE);
        }
        assert!(is_alive(&admin).await);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_answer_carries_the_protecting_headers() {
    both(|app| async move {
        let admin = app.administrator().await;
        let stylesheet = admin.get("/me").await.text();
        let asset = stylesheet.split("/assets/").nth(1).unwrap().split('"').next().unwrap().to_owned();
        let asset = format!("/assets/{asset}");
        let pages = [
            "/me",
            "/login",
            "/nowhere",
            "/api/v1/nowhere",
            "/api/v1/people",
            "/api/v1/customers/01M2Z8Q4T7V0K",
            "/admin/audit/export",
            "/admin/people",
            "/livez",
            &asset,
        ];
        for path in pages {
            for client in [&admin, &app.stranger()] {
                let answer = client.get(path).await;
                for (name, value) in [
                    ("x-content-type-options", "nosniff"),
                    ("x-frame-options", "DENY"),
                    ("referrer-policy", "same-origin"),
                    ("cross-origin-opener-policy", "same-origin"),
                ] {
                    assert_eq!(answer.header(name), value, "{path}");
                }
                let policy = answer.header("content-security-policy");
                assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{path}");
                assert!(!answer.header("x-request-id").is_empty(), "{path}");
                if path != asset {
                    assert_eq!(answer.header("cache-control"), "no-store", "{path}");
                }
            }
        }
        assert_eq!(app.stranger().post_form("/login", &[]).await.header("x-frame-options"), "DENY");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_after_log_in_stays_on_this_site() {
    both(|app| async move {
        for (next, expected) in [
            ("/customers?q=1", "/customers?q=1"),
            ("//evil.example", "/"),
            ("https://evil.example", "/"),
            ("", "/"),
        ] {
            let values = [("username", "admin"), ("password", PASSWORD), ("next", next)];
            let answer = app.stranger().post_form("/login", &values).await.expect(303);
            assert_eq!(answer.header("location"), expected, "{next}");
        }
        let sent = app.stranger().get("/customers?q=张").await.expect(303);
        assert!(
            sent.header("location").starts_with("/login?next=%2Fcustomers"),
            "{}",
            sent.header("location")
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_language_a_person_chooses_is_kept() {
    both(|app| async move {
        let staff = app.staff("li", DataScope::Own).await;
        assert!(staff.get("/me").await.text().contains("个人设置"));
        staff.post_form("/me/language", &[("lang", "en")]).await.expect(303);
        let page = staff.get("/me").await.text();
        assert!(page.contains("My settings") && page.contains("<html lang=\"en\""));
        let id = staff.person_id;
        let person = app.app.db.read(move |conn| org::load_person(conn, id)).await.unwrap().unwrap();
        assert_eq!(person.version, 1, "no change an administrator could clash with");
        let made = app
            .app
            .db
            .write(move |tx| {
                auth::create_token(tx, &Actor::command_line(), kehu::ids::PersonId(5), "x", None, NOW)
            })
            .await;
        assert!(made.is_err(), "nobody has this id");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_known_device_waits_for_its_own_mistakes_only() {
    both(|app| async move {
        app.staff("li", DataScope::Own).await;
        let device = set_cookie(&log_in(&app, "li", PASSWORD, "").await.expect(303), "__Host-kehu-device");
        // Somebody at the same address tries names until the address must wait.
        for n in 0..21 {
            log_in(&app, &format!("nobody{n}"), "不是密码的一句话", "").await.expect(422);
        }
        log_in(&app, "nobody", "不是密码的一句话", "").await.expect(429);
        log_in(&app, "li", PASSWORD, "").await.expect(429);
        log_in(&app, "admin", PASSWORD, &device).await.expect(429);
        log_in(&app, "li", PASSWORD, &device).await.expect(303);
        // Four wrong ones are free, the fifth costs a second.
        for _ in 0..5 {
            log_in(&app, "li", "不是密码的一句话", &device).await.expect(422);
        }
        log_in(&app, "li", PASSWORD, &device).await.expect(429);
        app.clock.advance(999);
        log_in(&app, "li", PASSWORD, &device).await.expect(429);
        app.clock.advance(1);
        log_in(&app, "li", PASSWORD, &device).await.expect(303);
        for _ in 0..4 {
            log_in(&app, "li", "不是密码的一句话", &device).await.expect(422);
        }
        log_in(&app, "li", PASSWORD, &device).await.expect(303);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_name_of_the_scheme_before_a_token_is_written_as_anybody_likes() {
    both(|app| async move {
        let token = app.administrator().await.with_token().await;
        let call = async |value: String| {
            let request = app.stranger().request("GET", "/api/v1/customers");
            app.send(request.header(header::AUTHORIZATION, value).body(Body::empty()).unwrap()).await
        };
        for scheme in ["Bearer", "bearer", "BEARER"] {
            call(format!("{scheme} {}", token.secret())).await.expect(200);
        }
        for wrong in ["Basic", "Bearers", ""] {
            call(format!("{wrong} {}", token.secret())).await.expect(401);
        }
        call(token.secret().to_owned()).await.expect(401);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_set_up_page_marks_everything_that_is_wrong_at_once() {
    both_empty(|app| async move {
        let values =
            [("company", ""), ("name", ""), ("username", ""), ("password", ""), ("password_again", "x")];
        let page = app.stranger().post_form("/setup", &values).await.expect(422).text();
        for said in ["请填写公司名称", "请填写姓名", "用户名为 2–40 个", "两次输入的密码不一致"]
        {
            assert_eq!(page.matches(said).count(), 1, "{said}: {page}");
        }
        let values = [
            ("company", "天江"),
            ("name", "赵"),
            ("username", "赵 管理"),
            ("password", GOOD),
            ("password_again", GOOD),
        ];
        let page = app.stranger().post_form("/setup", &values).await.expect(422).text();
        assert!(page.contains("用户名为 2–40 个"), "{page}");
        assert_eq!(app.number("SELECT COUNT(*) FROM company").await, 0);
    })
    .await;
}
