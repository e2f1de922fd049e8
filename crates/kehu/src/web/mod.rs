//! What all pages and API calls share: the shell, extractors, errors as pages, request protection, the accept loop.
//! Knows no feature; what the shell shows of features comes through `Hooks`.

pub mod api;
pub mod assets;
mod errors;
mod extract;
mod form;
mod guard;
mod json;
mod layout;
pub mod pace;
pub mod serve;
mod table;

pub use errors::FormErrors;
pub use extract::{
    Administrator, Auditor, Cataloguer, Granter, JsonBody, Organiser, Page, RequestContext, Strategist,
    cookie, session_secret,
};
pub use form::{Choice, FormData, QueryData};
pub use guard::{Strangers, around, note_denial};
pub use layout::{Crumb, Hooks, MenuItem, Module, Shell, Tab, flash, html, redirect, saved, toast, trigger};
pub use table::table_file;

use axum::Router;
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};

use crate::access::{Object, Verb};
use crate::app::App;

/// Who may call a route at all; what he may see there is decided by the access decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Anybody.
    Public,
    /// Whoever is signed in or has a token.
    SignedIn,
    /// Whoever has this permission.
    May(Object, Verb),
    /// Administrators.
    Administrator,
}

/// A route as the table lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteInfo {
    /// `GET`, `POST` …
    pub method: &'static str,
    /// Path with `{id}` places.
    pub path: String,
    /// Who may call it.
    pub need: Need,
}

/// Collects the routes of all features; every route is in the table, the API's also in the OpenAPI document.
#[derive(Default)]
pub struct Routes {
    pages: Router<App>,
    api: OpenApiRouter<App>,
    /// Every route.
    pub table: Vec<RouteInfo>,
}

impl Routes {
    /// A page that is read.
    pub fn get<H, T>(self, path: &str, need: Need, handler: H) -> Self
    where
        H: axum::handler::Handler<T, App>,
        T: 'static,
    {
        self.page("GET", path, need, axum::routing::get(handler))
    }

    /// A form that is sent.
    pub fn post<H, T>(self, path: &str, need: Need, handler: H) -> Self
    where
        H: axum::handler::Handler<T, App>,
        T: 'static,
    {
        self.page("POST", path, need, axum::routing::post(handler))
    }

    /// A form with files; the handler bounds their size itself.
    pub fn post_files<H, T>(self, path: &str, need: Need, handler: H) -> Self
    where
        H: axum::handler::Handler<T, App>,
        T: 'static,
    {
        let route = axum::routing::post(handler).layer(axum::extract::DefaultBodyLimit::disable());
        self.page("POST", path, need, route)
    }

    fn page(
        mut self,
        method: &'static str,
        path: &str,
        need: Need,
        route: axum::routing::MethodRouter<App>,
    ) -> Self {
        self.table.push(RouteInfo { method, path: path.to_owned(), need });
        self.pages = self.pages.route(path, route);
        self
    }

    /// Calls of the API, made with `utoipa_axum::routes!`; their paths stand in the handlers' attributes.
    pub fn api(mut self, need: Need, routes: UtoipaMethodRouter<App>) -> Self {
        for (path, item) in &routes.1.paths {
            let methods = [
                ("GET", item.get.is_some()),
                ("POST", item.post.is_some()),
                ("PUT", item.put.is_some()),
                ("PATCH", item.patch.is_some()),
                ("DELETE", item.delete.is_some()),
            ];
            for (method, _) in methods.into_iter().filter(|(_, has)| *has) {
                self.table.push(RouteInfo { method, path: path.clone(), need });
            }
        }
        self.api = self.api.routes(routes);
        self
    }

    /// The router and the OpenAPI document.
    pub fn finish(self) -> (Router<App>, utoipa::openapi::OpenApi, Vec<RouteInfo>) {
        let (api, document) = self.api.split_for_parts();
        (self.pages.merge(api), document, self.table)
    }
}
