//! Shows every component with sample data: `cargo run --example styleguide`, then http://127.0.0.1:8090/.
//! `/` is a list page, `/parts` the other components, `/login` a plain page. Nothing is stored.

use std::error::Error;

use askama::Template;
use axum::extract::{Path, Query};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Form, Router, middleware};
use kehu::i18n::{self, Lang};
use serde::Deserialize;

mod web {
    pub use kehu::web::assets;
}

#[derive(Clone)]
struct Shell {
    theme: String,
    density: String,
    narrow: bool,
    company: &'static str,
    user_name: &'static str,
    role_title: &'static str,
    acting: Vec<String>,
    is_administrator: bool,
    menu: Vec<MenuItem>,
    crumbs: Vec<Crumb>,
    todo_count: u64,
    notice_count: u64,
    demo: bool,
    path: &'static str,
}

#[derive(Clone, Default)]
struct MenuItem {
    title: &'static str,
    href: &'static str,
    icon: &'static str,
    go: &'static str,
    active: bool,
    count: u64,
    children: Vec<MenuItem>,
}

#[derive(Clone)]
struct Crumb {
    title: &'static str,
    href: Option<&'static str>,
}

struct Choice {
    value: &'static str,
    label: &'static str,
    search: &'static str,
}

struct Tab {
    title: &'static str,
    href: &'static str,
    active: bool,
    count: Option<u32>,
}

struct Column {
    name: &'static str,
    title: &'static str,
    visible: bool,
    locked: bool,
}

struct Row {
    id: u32,
    name: &'static str,
    level: &'static str,
    level_colour: &'static str,
    state: &'static str,
    state_colour: &'static str,
    phone: &'static str,
    owner: &'static str,
    balance: String,
    due: &'static str,
    late: bool,
    trade: &'static str,
    region: &'static str,
    updated: &'static str,
}

/// One struct serves the page and its parts: `as_list` answers a changed filter, `as_card` fills the drawer.
#[derive(Template)]
#[template(path = "styleguide.html", blocks = ["list", "card"])]
struct Page {
    l: Lang,
    shell: Shell,
    page: &'static str,
    name: &'static str,
    q: String,
    level: String,
    sort: String,
    more: bool,
    rows: Vec<Row>,
    tabs: Vec<Tab>,
    levels: Vec<Choice>,
    regions: Vec<Choice>,
    regions_search: Vec<Choice>,
    kinds: Vec<Choice>,
    columns: Vec<Column>,
    steps: Vec<&'static str>,
    stages: Vec<&'static str>,
    tag_words: Vec<&'static str>,
    chart: String,
    prev: Option<&'static str>,
    next: Option<&'static str>,
}

impl Page {
    fn new(headers: &HeaderMap, page: &'static str, asked: Asked) -> Self {
        let found = names().iter().enumerate().filter(|(_, name)| name.contains(asked.q.trim()));
        Self {
            l: Lang::Zh,
            shell: shell(headers, page),
            page,
            name: names()[0],
            rows: found.map(|(at, name)| row(at, name)).collect(),
            q: asked.q,
            level: asked.level,
            sort: asked.sort,
            more: asked.more == "1",
            tabs: vec![
                Tab { title: "全部", href: "/", active: true, count: Some(1284) },
                Tab { title: "我负责的", href: "/?tab=mine", active: false, count: Some(86) },
                Tab { title: "今日需联系", href: "/?tab=today", active: false, count: Some(8) },
                Tab { title: "公海", href: "/?tab=pool", active: false, count: None },
            ],
            levels: choices(&[("A", "A 级"), ("B", "B 级"), ("C", "C 级")]),
            regions: choices(&[("31", "上海"), ("32", "江苏"), ("33", "浙江")]),
            regions_search: vec![
                Choice {
                    value: "31", label: "上海市 浦东新区", search: "shanghaishi pudongxinqu shs pdxq"
                },
                Choice {
                    value: "32", label: "江苏省 苏州市", search: "jiangsusheng suzhoushi jss szs"
                },
                Choice {
                    value: "33", label: "浙江省 杭州市", search: "zhejiangsheng hangzhoushi zjs hzs"
                },
            ],
            kinds: choices(&[("org", "单位"), ("person", "个人")]),
            columns: vec![
                Column { name: "name", title: "客户名称", visible: true, locked: true },
                Column { name: "level", title: "等级", visible: true, locked: false },
                Column { name: "phone", title: "电话", visible: true, locked: false },
                Column { name: "owner", title: "负责人", visible: true, locked: false },
                Column { name: "source", title: "来源", visible: false, locked: false },
            ],
            steps: vec!["上传文件", "对应各列", "检查预览", "导入", "结果"],
            stages: vec!["受理", "调查", "处理", "回访", "办结"],
            tag_words: vec!["重点", "水务"],
            chart: CHART.to_owned(),
            prev: None,
            next: Some("/?after=14"),
        }
    }
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"{% extends "layout/plain.html" %}{% import "components/form.html" as form %}{% block lead %}<div class="soft">客户管理系统</div>{% endblock %}{% block main %}<form method="post" action="/login" class="stack">{{ form::input("user", l.t("账号"), attrs="autocomplete=username autofocus") }}{{ form::input("password", l.t("密码"), kind="password", error="账号或密码不对，还可以再试 4 次", attrs="autocomplete=current-password") }}<button class="btn btn-primary" type="submit">登录</button><p class="faint mb-0">上次登录：2026-11-21 18:05，192.168.3.27</p></form>{% endblock %}"#
)]
struct Login {
    l: Lang,
    shell: Shell,
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"{% import "components/form.html" as form %}{% call form::inline(url, error=error) %}<input class="form-control" type="text" name="value" value="{{ value }}" aria-label="电话">{% endcall %}"#
)]
struct InlineForm {
    l: Lang,
    url: String,
    value: String,
    error: &'static str,
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"{% import "components/ui.html" as ui %}<div class="command-group">客户</div>{% for (at, name) in found %}<a class="command-item" role="option" aria-selected="false" href="/customers/{{ at }}" data-drawer>{{ ui::icon("building") }}<span>{{ name }}</span><small>A 级 · 陈晓燕</small></a>{% endfor %}"#
)]
struct Found {
    found: Vec<(usize, &'static str)>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Asked {
    q: String,
    level: String,
    sort: String,
    more: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Sent {
    value: String,
    field: String,
    name: String,
}

fn names() -> &'static [&'static str] {
    &[
        "上海申江水务设备有限公司",
        "苏州华衡精密机械股份有限公司",
        "杭州云栖物业服务有限公司",
        "南京长江汽车销售服务有限公司",
        "宁波海曙国际货运代理有限公司",
        "无锡太湖医疗器械有限公司",
        "合肥徽州建筑工程有限公司",
        "青岛崂山啤酒设备厂",
        "广州珠江电梯工程有限公司",
        "成都锦江餐饮管理有限公司",
        "武汉光谷自动化技术有限公司",
        "西安大雁塔文化旅游发展有限公司",
        "厦门鹭岛电子商务有限公司",
        "张伟（个人）",
    ]
}

fn row(at: usize, name: &'static str) -> Row {
    let level = [("A 级", "plum"), ("B 级", "blue"), ("C 级", "")][at % 3];
    let state = [("在跟进", "blue"), ("已成交", "green"), ("待回访", "amber"), ("已流失", "")][at % 4];
    Row {
        id: u32::try_from(at).unwrap_or_default(),
        name,
        level: level.0,
        level_colour: level.1,
        state: state.0,
        state_colour: state.1,
        phone: ["021-6288 7410", "138 **** 5678", "0512-6725 0088"][at % 3],
        owner: ["陈晓燕", "王建国", "李慧敏", "赵志强"][at % 4],
        balance: format!("￥{}.00", ["318,200", "26,450", "0", "1,080,000"][at % 4]),
        due: ["2026-11-20", "2026-11-24", "2026-12-02"][at % 3],
        late: at.is_multiple_of(3),
        trade: ["水泵制造", "精密机械", "物业服务"][at % 3],
        region: ["上海 浦东新区", "江苏 苏州市", "浙江 杭州市"][at % 3],
        updated: ["今天 14:20", "昨天 09:12", "11-18 16:40"][at % 3],
    }
}

fn choices(pairs: &[(&'static str, &'static str)]) -> Vec<Choice> {
    pairs.iter().map(|&(value, label)| Choice { value, label, search: "" }).collect()
}

fn shell(headers: &HeaderMap, page: &str) -> Shell {
    let cookies = headers.get(header::COOKIE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let cookie = |name: &str| {
        cookies
            .split("; ")
            .find_map(|pair| pair.split_once('=').filter(|(key, _)| *key == name))
            .map(|(_, value)| value)
    };
    let item = |title, icon, go| MenuItem { title, href: "/parts", icon, go, ..MenuItem::default() };
    let list = page != "parts";
    Shell {
        theme: cookie("theme").unwrap_or("auto").to_owned(),
        density: cookie("density").unwrap_or("normal").to_owned(),
        narrow: cookie("side") == Some("narrow"),
        company: "申江集团客户服务中心",
        user_name: "陈晓燕",
        role_title: "客户经理 · 华东一部",
        acting: Vec::new(),
        is_administrator: false,
        menu: vec![
            MenuItem { active: !list, ..item("工作台", "layout-dashboard", "h") },
            MenuItem {
                active: list,
                children: vec![
                    MenuItem {
                        title: "客户列表",
                        href: "/",
                        go: "c",
                        active: list,
                        count: 1284,
                        ..MenuItem::default()
                    },
                    MenuItem { title: "联系人", href: "/parts", ..MenuItem::default() },
                    MenuItem { title: "公海", href: "/parts", count: 37, ..MenuItem::default() },
                    MenuItem { title: "查重与合并", href: "/parts", ..MenuItem::default() },
                ],
                ..item("客户", "users", "")
            },
            MenuItem { count: 12, ..item("待办", "checklist", "t") },
            item("投诉与工单", "headset", ""),
            item("订单与授信", "receipt", ""),
            item("档案", "archive", ""),
            item("问卷与营销", "speakerphone", ""),
            item("分析", "chart-pie", ""),
            item("制度", "gavel", ""),
            item("设置", "settings", ""),
        ],
        crumbs: vec![
            Crumb { title: "客户", href: Some("/") },
            Crumb { title: if list { "客户列表" } else { "组件样张" }, href: None },
        ],
        todo_count: 12,
        notice_count: 3,
        demo: true,
        path: if list { "/customers" } else { "/" },
    }
}

const CHART: &str = r#"{"tooltip":{"trigger":"axis"},"legend":{"right":0,"top":0},"xAxis":{"type":"category","data":["6月","7月","8月","9月","10月","11月"]},"yAxis":{"type":"value"},"series":[{"name":"新增","type":"bar","barMaxWidth":22,"data":[32,38,29,44,41,46]},{"name":"流失","type":"line","smooth":true,"data":[6,4,8,5,7,3]}]}"#;

fn html(template: &impl Template) -> Response {
    match template.render() {
        Ok(text) => Html(text).into_response(),
        Err(problem) => (StatusCode::INTERNAL_SERVER_ERROR, problem.to_string()).into_response(),
    }
}

fn partial(headers: &HeaderMap) -> bool {
    headers.get("hx-request-type").is_some_and(|value| value == "partial")
}

async fn list(headers: HeaderMap, Query(asked): Query<Asked>) -> Response {
    let page = Page::new(&headers, "list", asked);
    if partial(&headers) { html(&page.as_list()) } else { html(&page) }
}

async fn parts(headers: HeaderMap) -> Response {
    html(&Page::new(&headers, "parts", Asked::default()))
}

async fn customer(headers: HeaderMap, Path(id): Path<usize>) -> Response {
    let mut page = Page::new(&headers, "customer", Asked::default());
    page.name = names().get(id).copied().unwrap_or_default();
    if partial(&headers) { html(&page.as_card()) } else { html(&page) }
}

async fn phone_form(Path(id): Path<usize>) -> Response {
    html(&InlineForm {
        l: Lang::Zh,
        url: format!("/customers/{id}/phone"),
        value: "021-6288 7410".into(),
        error: "",
    })
}

async fn phone_save(Path(id): Path<usize>, Form(sent): Form<Sent>) -> Response {
    if sent.value.chars().any(|c| c.is_ascii_digit()) {
        return (
            trigger(r#"{"toast":{"text":"\u5df2\u4fdd\u5b58","undo":"/undo"}}"#),
            html(&Plain(sent.value)),
        )
            .into_response();
    }
    let url = format!("/customers/{id}/phone");
    let form = InlineForm { l: Lang::Zh, url, value: sent.value, error: "电话里应当有数字" };
    (StatusCode::UNPROCESSABLE_ENTITY, html(&form)).into_response()
}

#[derive(Template)]
#[template(ext = "html", source = "{{ self.0 }}")]
struct Plain(String);

fn trigger(value: &'static str) -> [(HeaderName, HeaderValue); 1] {
    [(HeaderName::from_static("hx-trigger"), HeaderValue::from_static(value))]
}

async fn batch(Form(sent): Form<Vec<(String, String)>>) -> Response {
    println!("batch {sent:?}");
    let value = r#"{"toast":{"text":"\u5df2\u5904\u7406\u6240\u9009\u5ba2\u6237","undo":"/undo"},"clearSelection":{},"refreshList":{}}"#;
    (trigger(value), StatusCode::OK).into_response()
}

async fn save() -> Response {
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    println!("saved");
    (trigger(r#"{"toast":{"text":"\u5df2\u4fdd\u5b58"}}"#), StatusCode::OK).into_response()
}

async fn validate(Form(sent): Form<Sent>) -> &'static str {
    if sent.field == "name" && sent.name.trim().is_empty() { "请填写客户名称" } else { "" }
}

async fn search(Query(asked): Query<Asked>) -> Response {
    let found = names()
        .iter()
        .enumerate()
        .filter(|(_, name)| name.contains(&asked.q))
        .map(|(at, name)| (at, *name))
        .collect();
    html(&Found { found })
}

async fn people(Query(asked): Query<Asked>) -> Html<String> {
    let people =
        [("1", "陈晓燕", "cxy"), ("2", "王建国", "wjg"), ("3", "李慧敏", "lhm"), ("4", "赵志强", "zzq")];
    let found = people.iter().filter(|(_, name, short)| name.contains(&asked.q) || short.contains(&asked.q));
    let line = |&(id, name, _): &(&str, &str, &str)| {
        format!(
            r#"<li role="option" data-value="{id}" data-label="{name}">{name}<small>华东一部</small></li>"#
        )
    };
    Html(found.map(line).collect())
}

async fn login(headers: HeaderMap) -> Response {
    html(&Login { l: Lang::Zh, shell: shell(&headers, "login") })
}

async fn protect(request: axum::extract::Request, next: middleware::Next) -> Response {
    let mut answer = next.run(request).await;
    let policy = HeaderValue::from_static(kehu::web::assets::CONTENT_SECURITY_POLICY);
    answer.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    answer
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let pages = Router::new()
        .route("/", get(list))
        .route("/parts", get(parts))
        .route("/login", get(login))
        .route("/customers/{id}", get(customer).delete(save))
        .route("/customers/{id}/phone", get(phone_form).post(phone_save))
        .route("/columns", post(list))
        .route("/batch", post(batch))
        .route("/save", post(save))
        .route("/undo", post(save))
        .route("/upload", post(|| async { "" }))
        .route("/validate", post(validate))
        .route("/search/menu", get(search))
        .route("/people/pick", get(people))
        .route("/assets/{*path}", get(kehu::web::assets::serve))
        .layer(middleware::from_fn(protect));
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 8090)).await?;
    println!("http://{}/", listener.local_addr()?);
    axum::serve(listener, pages).await?;
    Ok(())
}
