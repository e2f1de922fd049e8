//! Pages about who one is: set-up, log-in and log-out, one's own password, sessions and tokens.

mod log_in;
mod me;
mod password;
mod setup;
mod tokens;

use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;

use super::SESSION_COOKIE;
use crate::i18n::Lang;
use crate::web::{Need, Routes, cookie};

/// Its routes.
pub fn routes(routes: Routes) -> Routes {
    routes
        .get("/setup", Need::Public, setup::show)
        .post("/setup", Need::Public, setup::submit)
        .get("/login", Need::Public, log_in::show)
        .post("/login", Need::Public, log_in::submit)
        .post("/logout", Need::SignedIn, log_in::leave)
        .get("/me", Need::SignedIn, me::show)
        .post("/me/language", Need::SignedIn, me::set_language)
        .post("/me/sessions/end-others", Need::SignedIn, me::end_other_sessions)
        .post("/me/sessions/{id}/end", Need::SignedIn, me::end_session)
        .post("/me/tokens", Need::SignedIn, me::create_token)
        .post("/me/tokens/{id}/revoke", Need::SignedIn, me::revoke_token)
        .get("/admin/tokens", Need::Administrator, tokens::index)
        .post("/admin/tokens/{id}/revoke", Need::Administrator, tokens::revoke)
        .get("/me/password", Need::SignedIn, password::show)
        .post("/me/password", Need::SignedIn, password::submit)
}

/// Name of the cookie that tells a browser a person has used before.
const DEVICE_COOKIE: &str = "__Host-kehu-device";
/// How long a browser is known, in seconds: one year.
const DEVICE_AGE: u32 = 365 * 24 * 3600;

/// Adds a cookie that scripts cannot read and other sites cannot send. Without `age` (in seconds) it ends with the
/// browser. `Secure` also works on plain `http://127.0.0.1` and `http://localhost`, which browsers trust.
fn set_cookie(response: &mut Response, name: &str, value: &str, age: Option<u32>) {
    let age = age.map_or_else(String::new, |seconds| format!("; Max-Age={seconds}"));
    let text = format!("{name}={value}; Path=/; Secure; HttpOnly; SameSite=Lax{age}");
    if let Ok(value) = HeaderValue::from_str(&text) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
}

/// Gives the browser its session, and makes it known for a year.
fn give_session(response: &mut Response, session_secret: &str, device_secret: &str) {
    set_cookie(response, SESSION_COOKIE, session_secret, None);
    set_cookie(response, DEVICE_COOKIE, device_secret, Some(DEVICE_AGE));
}

/// The secret of the device cookie, if it looks like one.
fn device_secret(headers: &HeaderMap) -> Option<String> {
    cookie(headers, DEVICE_COOKIE)
        .filter(|s| s.len() == 64 && s.bytes().all(|b| b.is_ascii_hexdigit()))
        .map(str::to_owned)
}

/// The browser's words about itself, shortened.
fn device(headers: &HeaderMap) -> String {
    let words = headers.get(header::USER_AGENT).and_then(|v| v.to_str().ok()).unwrap_or_default();
    words.chars().filter(|c| !c.is_control()).take(200).collect()
}

/// What a person calls such a browser: `Chrome · Windows`.
pub(crate) fn device_title(words: &str, lang: Lang) -> String {
    let first = |pairs: &[(&str, &'static str)]| {
        pairs.iter().find(|(sign, _)| words.contains(sign)).map(|(_, title)| *title)
    };
    // The more telling sign first: every browser also names those it descends from.
    let browser = first(&[
        ("MicroMessenger", "微信"),
        ("wxwork", "企业微信"),
        ("Edg/", "Edge"),
        ("QQBrowser", "QQ 浏览器"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    ]);
    let system = first(&[
        ("Windows", "Windows"),
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("HarmonyOS", "HarmonyOS"),
        ("Mac OS", "macOS"),
        ("Linux", "Linux"),
    ]);
    match (browser, system) {
        (Some(browser), Some(system)) => format!("{browser} · {system}"),
        (Some(one), None) | (None, Some(one)) => one.to_owned(),
        (None, None) => lang.t("未知设备").to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_is_called_what_people_call_it() {
        let edge = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0 Safari/537.36 Edg/131.0";
        assert_eq!(device_title(edge, Lang::Zh), "Edge · Windows");
        assert_eq!(device_title("curl/8.0", Lang::Zh), "未知设备");
    }
}
