//! Teams: the people who do a duty, kept once however many duties they do.

use std::collections::HashMap;

use sha2::{Digest, Sha256};
use store::{Conn, Tx, Value as Sql};

use crate::ids::{PersonId, TeamId};

/// Most people of a team.
const MOST: usize = 200;

/// People in order of id, each once.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Members(Vec<PersonId>);

impl Members {
    pub(super) fn new(mut people: Vec<PersonId>) -> Self {
        people.sort_unstable();
        people.dedup();
        people.truncate(MOST);
        Self(people)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn digest(&self) -> String {
        let ids: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        let digest = Sha256::digest(ids.join(",").as_bytes());
        digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }
}

/// The teams of these people; those that are not there yet are made.
pub(super) fn ids(tx: &mut Tx<'_>, wanted: &[&Members]) -> store::Result<HashMap<Members, TeamId>> {
    let mut open: HashMap<String, &Members> =
        wanted.iter().map(|members| (members.digest(), *members)).collect();
    let mut all = HashMap::with_capacity(open.len());
    find(tx, &mut open, &mut all)?;
    if open.is_empty() {
        return Ok(all);
    }
    let new: Vec<(TeamId, &String)> = open.keys().map(|digest| (TeamId::new(), digest)).collect();
    let rows: Vec<Vec<Sql<'_>>> =
        new.iter().map(|(id, digest)| vec![(*id).into(), (*digest).into()]).collect();
    tx.insert_rows("INSERT INTO duty_teams (id, digest)", &rows, "ON CONFLICT (digest) DO NOTHING")?;
    let mut made = open.clone();
    find(tx, &mut made, &mut all)?;
    let rows: Vec<Vec<Sql<'_>>> = open
        .values()
        .filter_map(|members| Some((members, *all.get(*members)?)))
        .flat_map(|(members, id)| members.0.iter().map(move |person| vec![id.into(), (*person).into()]))
        .collect();
    if !rows.is_empty() {
        let tail = "ON CONFLICT (team_id, person_id) DO NOTHING";
        tx.insert_rows("INSERT INTO duty_team_people (team_id, person_id)", &rows, tail)?;
    }
    Ok(all)
}

/// Moves those that are there from `open` to `all`.
fn find(
    tx: &mut Tx<'_>,
    open: &mut HashMap<String, &Members>,
    all: &mut HashMap<Members, TeamId>,
) -> store::Result<()> {
    let digests: Vec<String> = open.keys().cloned().collect();
    for chunk in digests.chunks(200) {
        let places: Vec<String> = (1..=chunk.len()).map(|n| format!("${n}")).collect();
        let sql = format!("SELECT digest, id FROM duty_teams WHERE digest IN ({})", places.join(","));
        let params: Vec<Sql<'_>> = chunk.iter().map(Into::into).collect();
        let rows: Vec<(String, TeamId)> = tx.rows(&sql, &params)?;
        for (digest, id) in rows {
            if let Some(members) = open.remove(&digest) {
                all.insert(members.clone(), id);
            }
        }
    }
    Ok(())
}

/// The people of these teams.
pub(super) fn people(conn: &mut Conn<'_>, teams: &[TeamId]) -> store::Result<HashMap<TeamId, Vec<PersonId>>> {
    let mut found: HashMap<TeamId, Vec<PersonId>> = HashMap::new();
    for chunk in teams.chunks(500) {
        let ids: Vec<String> = chunk.iter().map(|team| team.0.to_string()).collect();
        let sql = format!(
            "SELECT team_id, person_id FROM duty_team_people WHERE team_id IN ({}) ORDER BY team_id, person_id",
            ids.join(",")
        );
        let rows: Vec<(TeamId, PersonId)> = conn.rows(&sql, &[])?;
        for (team, person) in rows {
            found.entry(team).or_default().push(person);
        }
    }
    Ok(found)
}
