//! Roles (角色): defined, given to posts and people, reviewed, and explained. What a role means for a decision stands
//! in `access`; here is how it is written and who has it.

mod assign;
pub mod effect;
pub mod explain;
mod load;
mod model;
mod review;
mod save;
mod wider;
mod would;

pub mod api;
pub mod web;

pub use assign::{Given, Giving, MOST_OF_PERSON, MOST_OF_POST, confirm, give, set_post_roles, take};
pub use load::{
    Changed, MOST_STANDING, POSTS, Standing, changes, holder_counts, holders, post_title, posts, standing,
    why_words,
};
pub use model::{
    Checked, Draft, GrantDraft, Known, MOST_CONDITIONS, MOST_UNITS, RuleDraft, RuledField, cell, facts,
    is_for_bundles, json_of, ruled_fields, scope_words,
};
pub use review::{
    Line, MOST_SETTLED, REVIEW, ReviewQuery, ReviewRules, Source, Verdict, confirm_line, review, revoke_line,
    settle_lines,
};
pub use save::{MOST, blank, create, load, remove, update};
pub use wider::permits_more;

use std::sync::Arc;

use crate::app::App;
use crate::error::AppError;
use crate::expr::Schema;
use crate::web::Routes;

/// Its routes.
pub fn routes(routes: Routes) -> Routes {
    api::routes(web::routes(routes))
}

/// What drafts are checked against now.
pub async fn known(app: &App) -> Result<Known, AppError> {
    let catalogue = app.catalogue().await?;
    Ok(Known {
        directory: app.directory().await?,
        schema: Arc::new(Schema::customers(&catalogue.custom_fields).in_zone(app.zone.clone())),
        custom_fields: Arc::new(catalogue.custom_fields.clone()),
    })
}

/// What explanations are put into words with.
pub async fn words(app: &App, l: crate::i18n::Lang) -> Result<explain::Words, AppError> {
    Ok(explain::Words {
        directory: app.directory().await?,
        catalogue: app.catalogue().await?,
        zone: app.zone.clone(),
        l,
        day: app.today().to_string(),
        now: app.now(),
    })
}
