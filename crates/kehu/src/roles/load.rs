//! Who has which role: the lists for reviews, and the posts with what they bring.

use std::collections::{BTreeMap, BTreeSet};

use store::Conn;

use crate::access::{Directory, Why};
use crate::catalogue::Catalogue;
use crate::clock::Millis;
use crate::i18n::Lang;
use crate::ids::{PersonId, RoleId, UnitId};

/// The dictionary of posts.
pub const POSTS: &str = "post";

/// When and by whom a role was last changed.
#[derive(Clone, Debug, Default)]
pub struct Changed {
    /// When; 0 for the roles that come with the program.
    pub at: Millis,
    /// By whom, by name.
    pub by: String,
}

/// When each living role was last changed.
pub fn changes(conn: &mut Conn<'_>) -> store::Result<BTreeMap<RoleId, Changed>> {
    let rows: Vec<(RoleId, Millis, String)> = conn.rows(
        "SELECT r.id, r.updated_at, COALESCE(p.name, '') FROM roles r LEFT JOIN people p ON p.id = r.updated_by
         WHERE r.deleted_at IS NULL",
        &[],
    )?;
    Ok(rows.into_iter().map(|(id, at, by)| (id, Changed { at, by })).collect())
}

/// The active people who have a role on a day, through a post or themselves, in order of ids.
pub fn holders(directory: &Directory, role: RoleId, day: &str) -> Vec<PersonId> {
    let active = directory.people().filter(|(_, member)| member.is_active).map(|(id, _)| id);
    let mut found: Vec<PersonId> =
        active.filter(|id| directory.own_roles(*id, day).iter().any(|h| h.role.id == role)).collect();
    found.sort_unstable();
    found
}

/// How many active people have each role on a day.
pub fn holder_counts(directory: &Directory, day: &str) -> BTreeMap<RoleId, usize> {
    let mut counts = BTreeMap::new();
    for (id, _) in directory.people().filter(|(_, member)| member.is_active) {
        let roles: BTreeSet<RoleId> = directory.own_roles(id, day).iter().map(|h| h.role.id).collect();
        for role in roles {
            *counts.entry(role).or_default() += 1;
        }
    }
    counts
}

/// What a post is called.
pub fn post_title<'a>(catalogue: &'a Catalogue, post: &'a str, l: Lang) -> &'a str {
    let title = catalogue.dictionary(POSTS).title(post, l);
    if title.is_empty() { post } else { title }
}

/// Every post somebody may hold, holds, or that brings roles: code and title, in the order of the dictionary.
pub fn posts(directory: &Directory, catalogue: &Catalogue, day: &str, l: Lang) -> Vec<(String, String)> {
    let dictionary = catalogue.dictionary(POSTS);
    let mut found: Vec<(String, String)> =
        dictionary.active().map(|e| (e.code.clone(), e.title(l).to_owned())).collect();
    let mut others: BTreeSet<String> =
        directory.posts_with_roles().map(|(post, _)| post.to_owned()).collect();
    for (id, _) in directory.people() {
        others.extend(directory.positions(id, day).iter().map(|p| p.post.clone()));
    }
    for code in others {
        if !found.iter().any(|(known, _)| *known == code) {
            let title = post_title(catalogue, &code, l).to_owned();
            found.push((code, title));
        }
    }
    found
}

/// Where a role of somebody comes from, in words.
pub fn why_words(
    why: &Why,
    directory: &Directory,
    catalogue: &Catalogue,
    zone: &crate::clock::Zone,
    l: Lang,
) -> String {
    match why {
        Why::Post { unit_id, post } => {
            let unit = directory.unit(*unit_id).map_or("?", |u| u.name.as_str());
            l.f("岗位：{}（{}）", &[&post_title(catalogue, post, l), &unit])
        }
        Why::Direct => l.t("直接授予").to_owned(),
        Why::Delegated { from, until } => {
            let name = directory.member(*from).map_or("?", |m| m.name.as_str());
            l.f("代理 {}，至 {}", &[&name, &zone.minute(*until)])
        }
    }
}

/// One role somebody has himself, for reviews.
#[derive(Clone, Debug)]
pub struct Standing {
    /// Who.
    pub person_id: PersonId,
    /// His name.
    pub person: String,
    /// Whether he may sign in.
    pub is_active: bool,
    /// Which role.
    pub role_id: RoleId,
    /// Its name.
    pub role: String,
    /// For which unit; `None` for the units he works in.
    pub unit_id: Option<UnitId>,
    /// Last day; empty until further notice.
    pub ends_on: String,
    /// Why it was given.
    pub reason: String,
    /// When.
    pub granted_at: Millis,
    /// By whom; empty for what came with set-up.
    pub granted_by: String,
    /// When somebody last confirmed it.
    pub confirmed_at: Option<Millis>,
    /// Who did.
    pub confirmed_by: String,
    /// When he last signed in.
    pub last_login_at: Option<Millis>,
}

impl store::FromRow for Standing {
    fn from_row(row: &store::Row<'_>) -> store::Result<Self> {
        let unit_id: UnitId = row.get(5)?;
        Ok(Self {
            person_id: row.get(0)?,
            person: row.get(1)?,
            is_active: row.get(2)?,
            role_id: row.get(3)?,
            role: row.get(4)?,
            unit_id: (unit_id.0 != 0).then_some(unit_id),
            ends_on: row.get(6)?,
            reason: row.get(7)?,
            granted_at: row.get(8)?,
            granted_by: row.get(9)?,
            confirmed_at: row.get(10)?,
            confirmed_by: row.get(11)?,
            last_login_at: row.get(12)?,
        })
    }
}

/// Rows of a review at the most.
pub const MOST_STANDING: i64 = 10_000;

/// Every role that people have themselves and that is not over, the longest unconfirmed first; at most 10,000. Of one
/// person only, when given.
pub fn standing(conn: &mut Conn<'_>, of: Option<PersonId>, day: &str) -> store::Result<Vec<Standing>> {
    conn.rows(
        "SELECT r.person_id, p.name, p.is_active, r.role_id, o.name, r.unit_id, r.ends_on, r.reason, r.granted_at,
           COALESCE(g.name, ''), r.confirmed_at, COALESCE(k.name, ''), p.last_login_at
         FROM person_roles r JOIN people p ON p.id = r.person_id JOIN roles o ON o.id = r.role_id
           LEFT JOIN people g ON g.id = r.granted_by LEFT JOIN people k ON k.id = r.confirmed_by
         WHERE o.deleted_at IS NULL AND (r.ends_on = '' OR r.ends_on >= $1)
           AND (CAST($2 AS BIGINT) = 0 OR r.person_id = $2)
         ORDER BY COALESCE(r.confirmed_at, r.granted_at), r.person_id, r.role_id, r.unit_id LIMIT $3",
        &[day.into(), of.map_or(0, |p| p.0).into(), MOST_STANDING.into()],
    )
}
