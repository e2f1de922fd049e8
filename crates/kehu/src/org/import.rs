//! Bringing units or people in from a table, all or nothing: every row goes through the actions a person's clicks go
//! through. A rehearsal does exactly the same and takes it back, so that what it says is what will happen.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::Cursor;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::json;
use sheets::worker::Frame;
use sheets::write::{Template, TemplateColumn};
use store::{Conn, Tx};

use super::Moment;
use super::directory::load_roles;
use super::people::{NewPerson, add_person, username_key};
use super::positions::{NewPosition, POSTS, PositionChange, add_position, change_position};
use super::units::{UNIT_KINDS, UnitDraft, UnitRecord, change_unit, create_unit, list_units};
use crate::access::{Actor, DEEPEST, Object, STAFF_ID, Verb, require_may};
use crate::audit::{self, Entry};
use crate::auth::temporary_password;
use crate::catalogue::Catalogue;
use crate::error::{AppError, FieldError};
use crate::i18n::{Lang, Text};
use crate::ids::{PersonId, PositionId, RoleId, UnitId};
use crate::imports;
use crate::text;

/// Rows of one table at the most: the rehearsal and the import are one transaction each.
pub const MOST_ROWS: usize = 500;
/// Where denials of single rows are noted.
const IMPORT: &str = "/admin/organisation/import";
/// Characters of a cell that are kept; no field takes as many.
const LONGEST: usize = 300;

/// What a table holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sheet {
    /// A unit a row.
    Units,
    /// A person a row.
    People,
}

/// Columns: the heading, other headings that mean it, an explanation and an example.
type Column = (&'static str, &'static [&'static str], &'static str, &'static str);

const UNITS: [Column; 5] = [
    ("部门编码", &["编码", "代码", "部门代码", "code"], "可留空；填写后其他行可用它指定上级", "GZ01"),
    ("部门名称", &["部门", "名称", "name"], "同一上级下不能重名", "一管理处"),
    (
        "上级部门",
        &["上级", "父部门", "上级编码", "上级部门编码", "parent"],
        "上级的编码，或从最上级起的路径；最上级留空",
        "天江集团/物业公司",
    ),
    ("部门类型", &["类型", "kind"], "从下拉列表中选择；留空为“部门”", "管理处"),
    ("负责人", &["部门负责人", "主管", "head"], "已有同事的用户名，或不重名的姓名", ""),
];
const PEOPLE: [Column; 8] = [
    ("姓名", &["名字", "员工姓名", "name"], "", "李四"),
    ("用户名", &["登录名", "账号", "帐号", "工号", "username"], "登录时使用，以后不能修改", "lisi"),
    (
        "部门",
        &["部门名称", "所属部门", "部门编码", "unit"],
        "编码、从最上级起的路径，或不重名的部门名称",
        "天江集团/物业公司/一管理处",
    ),
    ("岗位", &["职位", "职务", "post"], "从下拉列表中选择", "客服人员"),
    ("电话", &["手机", "手机号", "联系电话", "phone"], "", "13800138000"),
    ("邮箱", &["电子邮箱", "邮件", "email"], "", "name@example.com"),
    ("角色", &["role", "roles"], "多个角色用顿号分开；留空为“员工（本人客户）”", ""),
    ("直接上级", &["上级", "汇报对象", "superior"], "用户名或不重名的姓名；留空则为部门负责人", ""),
];

impl Sheet {
    fn columns(self) -> &'static [Column] {
        match self {
            Self::Units => &UNITS,
            Self::People => &PEOPLE,
        }
    }

    /// The headings in the order of a row's cells.
    pub fn headings(self) -> Vec<String> {
        self.columns().iter().map(|(heading, ..)| (*heading).to_owned()).collect()
    }
}

/// One row: its number in the file, and its cells in the order of the headings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// From 1, the headings counted.
    pub number: u64,
    /// As many as there are headings.
    pub cells: Vec<String>,
}

/// A table as it was understood.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// What it holds.
    pub sheet: Sheet,
    /// Its rows.
    pub rows: Vec<Row>,
}

impl Table {
    /// The table a page sent back; refused when it is not one this program wrote.
    pub fn parse(text: &str) -> Result<Self, AppError> {
        let broken = || AppError::BadRequest(text!("表格内容不完整，请重新上传文件"));
        let table: Self = serde_json::from_str(text).map_err(|_| broken())?;
        let width = table.sheet.columns().len();
        let fits = |row: &Row| {
            row.cells.len() == width
                && row.cells.iter().all(|c| c.chars().count() <= LONGEST && !c.contains('\0'))
        };
        let is_whole = (1..=MOST_ROWS).contains(&table.rows.len()) && table.rows.iter().all(fits);
        if is_whole { Ok(table) } else { Err(broken()) }
    }
}

/// What was written, or would be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// New units or people.
    pub created: usize,
    /// Units that were there and are changed.
    pub updated: usize,
    /// Units that were there just so.
    pub same: usize,
}

/// A row that cannot be taken, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Its number in the file.
    pub number: u64,
    /// What is wrong: with which column, in words.
    pub reasons: Vec<(Option<usize>, Text)>,
}

/// A first password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    /// The password itself.
    pub password: String,
    /// Its hash.
    pub hash: String,
}

impl Credential {
    /// A random one, hashed; blocks for as long as a hash takes.
    pub fn random() -> Result<Self, AppError> {
        let password = temporary_password()?;
        let hash = crate::auth::hash_now(&password)?;
        Ok(Self { password, hash })
    }
}

/// Reads an uploaded file in the sandboxed child and recognises its columns; blocks.
pub fn read_table(path: &Path, name: &str) -> Result<Table, AppError> {
    let file = File::open(path).map_err(|e| AppError::Internal(format!("uploaded file: {e}")))?;
    let mut table: Option<(Table, Vec<Option<usize>>)> = None;
    for frame in imports::parse(file, name, &imports::Place::default())? {
        match frame {
            Frame::Header(header) => {
                let (sheet, places) = recognise(&header.columns)?;
                table = Some((Table { sheet, rows: Vec::new() }, places));
            }
            Frame::Row(row) => {
                let Some((table, places)) = &mut table else { continue };
                let cell = |at: &Option<usize>| {
                    let text = at.and_then(|at| row.cells.get(at)).map_or("", |c| c.trim());
                    text.chars().filter(|c| *c != '\0').take(LONGEST).collect::<String>()
                };
                let cells: Vec<String> = places.iter().map(cell).collect();
                if cells.iter().all(String::is_empty) {
                    continue;
                }
                table.rows.push(Row { number: row.original.unwrap_or(row.number), cells });
                if table.rows.len() > MOST_ROWS {
                    return Err(AppError::field(
                        "file",
                        text!("一次最多导入 {} 行，请拆成几个文件", MOST_ROWS),
                    ));
                }
            }
            Frame::Failed(problem) => return Err(imports::refused(&problem)),
            Frame::Started { .. } | Frame::Warning(_) => {}
            Frame::Done(_) => break,
        }
    }
    match table {
        Some((table, _)) if !table.rows.is_empty() => Ok(table),
        Some(_) => Err(AppError::field("file", text!("表头下面没有数据，请填写后重新上传"))),
        None => Err(AppError::field("file", text!("文件里没有表头，请检查后重新上传"))),
    }
}

/// What a table holds by its headings, and where each of our columns stands in it.
fn recognise(headings: &[String]) -> Result<(Sheet, Vec<Option<usize>>), AppError> {
    let plain = |text: &str| {
        text.chars()
            .filter(|c| !c.is_whitespace() && !matches!(c, '*' | '＊' | ':' | '：'))
            .collect::<String>()
    };
    let plain: Vec<String> = headings.iter().map(|h| plain(h).to_lowercase()).collect();
    let places = |sheet: Sheet| {
        let mut taken = HashSet::new();
        // A heading of its own name goes before one that only means it.
        let own = |(heading, ..): &Column| plain.iter().position(|h| h == heading);
        let mut found: Vec<Option<usize>> = sheet.columns().iter().map(own).collect();
        taken.extend(found.iter().flatten().copied());
        for (place, (_, others, ..)) in found.iter_mut().zip(sheet.columns()) {
            if place.is_none() {
                *place = plain
                    .iter()
                    .enumerate()
                    .position(|(at, h)| !taken.contains(&at) && others.contains(&h.as_str()));
                taken.extend(*place);
            }
        }
        found
    };
    let people = places(Sheet::People);
    if plain.iter().any(|h| h == "姓名" || h == "员工姓名" || h == "用户名") {
        if people[0].is_some() && people[1].is_some() && people[2].is_some() && people[3].is_some() {
            return Ok((Sheet::People, people));
        }
        return Err(AppError::field("file", text!("人员表格至少要有“姓名”“用户名”“部门”“岗位”四列")));
    }
    let units = places(Sheet::Units);
    if units[1].is_some() {
        return Ok((Sheet::Units, units));
    }
    Err(AppError::field(
        "file",
        text!("没有认出表格：部门表格要有“部门名称”列，人员表格要有“姓名”列；可以先下载模板"),
    ))
}

/// Does the import and takes it back: what it would write, and every row it would refuse.
pub fn rehearse(
    tx: &mut Tx<'_>,
    actor: &Actor,
    catalogue: &Catalogue,
    table: &Table,
    at: &Moment,
) -> Result<(Counts, Vec<Refused>), AppError> {
    // The savepoint is left with an error, so nothing of it stays.
    let mut outcome = None;
    let left = tx.savepoint(|tx| {
        outcome = Some(run(tx, actor, catalogue, table, &[], at)?);
        Err::<(), AppError>(AppError::Stale)
    });
    match (outcome, left) {
        (Some(outcome), _) => Ok(outcome),
        (None, Err(error)) => Err(error),
        (None, Ok(())) => Err(AppError::Internal("a rehearsal without an outcome".into())),
    }
}

/// Writes every row of a table; `credentials` has one for each row of people. With a refused row nothing is written:
/// the error says how many there are, a rehearsal names them.
pub fn import(
    tx: &mut Tx<'_>,
    actor: &Actor,
    catalogue: &Catalogue,
    table: &Table,
    credentials: &[Credential],
    at: &Moment,
) -> Result<Counts, AppError> {
    let (counts, refused) = run(tx, actor, catalogue, table, credentials, at)?;
    if !refused.is_empty() {
        return Err(AppError::Conflict(text!(
            "有 {} 行不能导入，什么都没有写入，请改正后重新上传",
            refused.len()
        )));
    }
    let after = json!({ "sheet": table.sheet, "created": counts.created, "updated": counts.updated });
    audit::record(tx, actor, at.now, &Entry::of("organisation.imported", "organisation", 0).after(&after))?;
    Ok(counts)
}

fn run(
    tx: &mut Tx<'_>,
    actor: &Actor,
    catalogue: &Catalogue,
    table: &Table,
    credentials: &[Credential],
    at: &Moment,
) -> Result<(Counts, Vec<Refused>), AppError> {
    require_may(actor, Object::Organisation, Verb::Update)?;
    let (mut counts, mut refused) = (Counts::default(), Vec::new());
    match table.sheet {
        Sheet::Units => units(tx, actor, catalogue, table, at, &mut counts, &mut refused)?,
        Sheet::People => people(tx, actor, catalogue, table, credentials, at, &mut counts, &mut refused)?,
    }
    refused.sort_by_key(|r| r.number);
    Ok((counts, refused))
}

/// A row's refusal. What is no matter of this row ends the import.
fn reasons(sheet: Sheet, error: AppError) -> Result<Vec<(Option<usize>, Text)>, AppError> {
    let place = |field: &str| {
        let keys: &[&str] = match sheet {
            Sheet::Units => &["code", "name", "parent_id", "kind", "head_id"],
            Sheet::People => {
                &["name", "username", "unit_id", "post", "phone", "email", "roles", "superior_id"]
            }
        };
        keys.iter().position(|k| *k == field)
    };
    match error {
        AppError::Invalid(errors) => Ok(errors.into_iter().map(|e| (place(&e.field), e.text)).collect()),
        AppError::Conflict(_) | AppError::Forbidden(_) | AppError::NotFound => {
            Ok(vec![(None, error.title())])
        }
        other => Err(other),
    }
}

/// Units by code, by path, and by a name only one of them has.
struct Known {
    ids: HashMap<String, UnitId>,
}

/// `天江集团 / 物业公司` and `天江集团／物业公司` as `天江集团/物业公司`.
fn path_key(text: &str) -> String {
    let parts = text.split(['/', '／', '>', '\\']).map(str::trim).filter(|p| !p.is_empty());
    parts.collect::<Vec<_>>().join("/")
}

impl Known {
    fn of(units: &[UnitRecord]) -> Self {
        let open: HashMap<UnitId, &UnitRecord> =
            units.iter().filter(|u| u.is_open()).map(|u| (u.id, u)).collect();
        let mut names: HashMap<&str, Vec<UnitId>> = HashMap::new();
        for unit in open.values() {
            names.entry(unit.name.as_str()).or_default().push(unit.id);
        }
        // The surer way is written last: it wins.
        let mut ids: HashMap<String, UnitId> = names
            .iter()
            .filter(|(_, of)| of.len() == 1)
            .map(|(name, of)| ((*name).to_owned(), of[0]))
            .collect();
        for unit in open.values() {
            let (mut parts, mut above) = (vec![unit.name.as_str()], unit.parent_id);
            while let Some(parent) = above.and_then(|id| open.get(&id)).filter(|_| parts.len() <= DEEPEST) {
                parts.push(parent.name.as_str());
                above = parent.parent_id;
            }
            parts.reverse();
            ids.insert(parts.join("/"), unit.id);
        }
        ids.extend(open.values().filter(|u| !u.code.is_empty()).map(|u| (u.code.clone(), u.id)));
        Self { ids }
    }

    fn find(&self, text: &str) -> Option<UnitId> {
        self.ids.get(text.trim()).or_else(|| self.ids.get(&path_key(text))).copied()
    }
}

/// People by sign-in name, and by a name only one of them has.
fn known_people(conn: &mut Conn<'_>) -> store::Result<HashMap<String, PersonId>> {
    let all: Vec<(PersonId, String, String)> =
        conn.rows("SELECT id, username, name FROM people WHERE is_active = TRUE", &[])?;
    let mut names: HashMap<&str, Vec<PersonId>> = HashMap::new();
    for (id, _, name) in &all {
        names.entry(name.as_str()).or_default().push(*id);
    }
    let mut known: HashMap<String, PersonId> =
        names.iter().filter(|(_, of)| of.len() == 1).map(|(name, of)| ((*name).to_owned(), of[0])).collect();
    known.extend(all.iter().map(|(id, username, _)| (username.clone(), *id)));
    Ok(known)
}

fn person_named(
    known: &HashMap<String, PersonId>,
    field: &str,
    text: &str,
) -> Result<Option<PersonId>, AppError> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let found = known.get(text).or_else(|| known.get(&username_key(text)));
    found
        .copied()
        .map(Some)
        .ok_or_else(|| AppError::field(field, text!("没有找到同事“{}”，或者不止一位；请改用用户名", text)))
}

/// Rows in rounds: a row whose unit above is not known yet waits for the row that makes it.
fn units(
    tx: &mut Tx<'_>,
    actor: &Actor,
    catalogue: &Catalogue,
    table: &Table,
    at: &Moment,
    counts: &mut Counts,
    refused: &mut Vec<Refused>,
) -> Result<(), AppError> {
    let people = known_people(tx)?;
    let mut waiting: Vec<&Row> = table.rows.iter().collect();
    let mut codes = HashSet::new();
    waiting.retain(|row| {
        let code = row.cells[0].as_str();
        let is_first = code.is_empty() || codes.insert(code);
        if !is_first {
            let text = text!("编码“{}”在文件里出现了不止一次", code);
            refused.push(Refused { number: row.number, reasons: vec![(Some(0), text)] });
        }
        is_first
    });
    loop {
        let all = list_units(tx)?;
        let known = Known::of(&all);
        // A parent named by a code or name that a waiting row makes is not an older unit of the same name.
        let promised: HashSet<String> = waiting
            .iter()
            .flat_map(|r| [r.cells[0].clone(), r.cells[1].clone()])
            .filter(|t| !t.is_empty())
            .collect();
        let before = waiting.len();
        let mut later = Vec::new();
        for row in waiting {
            let [code, name, parent, kind, head] = [0, 1, 2, 3, 4].map(|at| row.cells[at].as_str());
            let is_own = parent == code || parent == name;
            let parent_id = match (parent, known.find(parent)) {
                ("", _) => None,
                (_, Some(id)) => Some(id),
                (text, None) => {
                    later.push((row, promised.contains(text) && !is_own));
                    continue;
                }
            };
            let done = tx.savepoint(|tx| {
                let head_id = person_named(&people, "head_id", head)?;
                let old = all.iter().find(|u| {
                    u.is_open()
                        && if code.is_empty() {
                            u.name == name && u.parent_id == parent_id
                        } else {
                            u.code == code
                        }
                });
                let kind = if kind.is_empty() && old.is_none() { "department" } else { kind };
                let draft = UnitDraft {
                    name: Some(name.to_owned()),
                    kind: Some(kind.to_owned()).filter(|k| !k.is_empty()),
                    code: Some(code.to_owned()).filter(|c| !c.is_empty()),
                    // An empty cell leaves an existing unit where it is.
                    parent_id: if old.is_some() && parent.is_empty() { None } else { Some(parent_id) },
                    head_id: head_id.map(Some),
                    position: None,
                };
                Ok::<_, AppError>(match old {
                    None => create_unit(tx, actor, catalogue, &draft, at).map(|_| None)?,
                    Some(old) => Some(change_unit(tx, actor, catalogue, old.id, None, &draft, at)? == *old),
                })
            });
            match done {
                Ok(None) => counts.created += 1,
                Ok(Some(true)) => counts.same += 1,
                Ok(Some(false)) => counts.updated += 1,
                Err(error) => {
                    audit::note_denial(tx, actor, at.now, &error, IMPORT);
                    refused.push(Refused { number: row.number, reasons: reasons(Sheet::Units, error)? });
                }
            }
        }
        if later.len() == before || later.is_empty() {
            for (row, is_promised) in later {
                let parent = &row.cells[2];
                let text = if is_promised {
                    text!("上级部门“{}”所在的行有错误，或几个部门互为上级，请先改正", parent)
                } else {
                    text!("没有找到上级部门“{}”，请填写编码或完整路径", parent)
                };
                refused.push(Refused { number: row.number, reasons: vec![(Some(2), text)] });
            }
            return Ok(());
        }
        waiting = later.into_iter().map(|(row, _)| row).collect();
    }
}

/// People first, then who reports to whom: a superior may stand in a later row.
#[expect(
    clippy::too_many_arguments,
    reason = "one step of `run`, which has the same; a struct would be used once"
)]
fn people(
    tx: &mut Tx<'_>,
    actor: &Actor,
    catalogue: &Catalogue,
    table: &Table,
    credentials: &[Credential],
    at: &Moment,
    counts: &mut Counts,
    refused: &mut Vec<Refused>,
) -> Result<(), AppError> {
    let known = Known::of(&list_units(tx)?);
    let roles = load_roles(tx)?;
    let mut made: Vec<(&Row, PositionId)> = Vec::new();
    for (n, row) in table.rows.iter().enumerate() {
        let cell = |at: usize| row.cells[at].as_str();
        let hash = credentials.get(n).map_or("-", |c| c.hash.as_str());
        let done = tx.savepoint(|tx| {
            let mut errors = Vec::new();
            let unit_id = known.find(cell(2));
            if unit_id.is_none() {
                errors.push(FieldError::new(
                    "unit_id",
                    text!("没有找到部门“{}”，请填写编码或完整路径", cell(2)),
                ));
            }
            if catalogue.dictionary(POSTS).find(cell(3)).is_none() {
                errors.push(FieldError::new("post", text!("没有岗位“{}”，请从岗位字典中选择", cell(3))));
            }
            let mut wanted: Vec<RoleId> = Vec::new();
            for name in cell(6).split(['、', ',', '，', ';', '；']).map(str::trim).filter(|n| !n.is_empty())
            {
                match roles.iter().find(|r| !r.is_bundle && (r.name == name || r.code == name)) {
                    Some(role) if wanted.contains(&role.id) => {}
                    Some(role) => wanted.push(role.id),
                    None => errors.push(FieldError::new("roles", text!("没有角色“{}”", name))),
                }
            }
            if wanted.is_empty() {
                wanted.push(STAFF_ID);
            }
            let person = NewPerson {
                username: cell(1).to_owned(),
                name: cell(0).to_owned(),
                title: String::new(),
                phone: cell(4).to_owned(),
                email: cell(5).to_owned(),
                roles: wanted,
                password_hash: hash.to_owned(),
                must_change_password: true,
            };
            // Everything wrong with a row is told at once.
            let id = match add_person(tx, actor, &person, at.now) {
                Ok(id) if errors.is_empty() => id,
                Ok(_) => return Err(AppError::Invalid(errors)),
                Err(AppError::Invalid(more)) => {
                    errors.extend(more);
                    return Err(AppError::Invalid(errors));
                }
                Err(error) => return Err(error),
            };
            let position = NewPosition {
                unit_id: unit_id.unwrap_or(UnitId(0)),
                post: cell(3).to_owned(),
                starts_on: None,
                ends_on: String::new(),
                is_main: true,
                superior_id: None,
            };
            Ok(add_position(tx, actor, catalogue, id, &position, at)?.id)
        });
        match done {
            Ok(position) => {
                counts.created += 1;
                made.push((row, position));
            }
            Err(error) => {
                audit::note_denial(tx, actor, at.now, &error, IMPORT);
                refused.push(Refused { number: row.number, reasons: reasons(Sheet::People, error)? })
            }
        }
    }
    let known = known_people(tx)?;
    for (row, position) in made.into_iter().filter(|(row, _)| !row.cells[7].is_empty()) {
        let done = tx.savepoint(|tx| {
            let superior_id = person_named(&known, "superior_id", &row.cells[7])?;
            let change = PositionChange { superior_id: Some(superior_id), ..PositionChange::default() };
            change_position(tx, actor, position, None, &change, at).map(drop)
        });
        if let Err(error) = done {
            counts.created -= 1;
            audit::note_denial(tx, actor, at.now, &error, IMPORT);
            refused.push(Refused { number: row.number, reasons: reasons(Sheet::People, error)? });
        }
    }
    Ok(())
}

/// The empty table people fill in.
pub fn template(catalogue: &Catalogue, sheet: Sheet) -> Result<Vec<u8>, AppError> {
    let names = |dictionary: &str| catalogue.dictionary(dictionary).active().map(|e| e.zh.clone()).collect();
    let column = |(title, _, help, example): &Column| TemplateColumn {
        title: (*title).to_owned(),
        is_required: matches!(*title, "部门名称" | "姓名" | "用户名" | "部门" | "岗位"),
        help: (*help).to_owned(),
        example: (*example).to_owned(),
        choices: match *title {
            "部门类型" => names(UNIT_KINDS),
            "岗位" => names(POSTS),
            _ => Vec::new(),
        },
        ..TemplateColumn::default()
    };
    let described = Template {
        sheet: match sheet {
            Sheet::Units => "部门".to_owned(),
            Sheet::People => "人员".to_owned(),
        },
        stamp: match sheet {
            Sheet::Units => "kehu-units/1".to_owned(),
            Sheet::People => "kehu-people/1".to_owned(),
        },
        notes: vec![
            "一行填一个，不要改动第一行的列名；标色的列必填。".to_owned(),
            "先导入部门，再导入人员；有任何一行不能导入时，整个文件都不会写入。".to_owned(),
            "部门负责人可以在人员导入后再导入一次部门表格补上：编码或路径相同的部门会被更新。".to_owned(),
        ],
        columns: sheet.columns().iter().map(column).collect(),
        // Its headings are Chinese, and so are the words around them.
        words: imports::template_words(Lang::Zh),
    };
    let mut bytes = Cursor::new(Vec::new());
    sheets::write::template(&described, &mut bytes)
        .map_err(|e| AppError::Internal(format!("template: {e}")))?;
    Ok(bytes.into_inner())
}

/// The reasons of a refused row in words, each with its heading.
impl Refused {
    /// `岗位：没有岗位“…”`.
    pub fn words(&self, sheet: Sheet, l: Lang) -> Vec<String> {
        let said =
            self.reasons.iter().map(|(column, text)| match column.and_then(|at| sheet.columns().get(at)) {
                Some((heading, ..)) => format!("{heading}：{}", text.to(l)),
                None => text.to(l),
            });
        said.collect()
    }
}
