//! An import's settings compiled for its rows: what each cell becomes, who owns the customer, by what it is recognised.

use std::collections::HashMap;
use std::sync::Arc;

use store::Conn;

use super::kind::guess_kind;
use super::known::{Sign, keys_of, looked_for, signs};
use super::mapping::{ContactPart, Target};
use super::model::{Import, OnDuplicate};
use super::reader;
use crate::access::{self, Actor, FieldRule, Object, Verb};
use crate::catalogue::{Catalogue, CustomKind};
use crate::clock::Millis;
use crate::customers::{self, Draft, Field, FieldKind, FirstContact, Keyed, Kind, Prepared};
use crate::error::{AppError, FieldError};
use crate::i18n::Text;
use crate::ids::PersonId;
use crate::{numbering, org, text};

/// What is wrong with a row: the column it is about, if one, and the words.
#[derive(Clone, Debug)]
pub struct Wrong {
    /// Index of the column.
    pub column: Option<usize>,
    /// What is wrong and what to do.
    pub text: Text,
}

/// What the reader repaired by losing something: to the reader a warning, here an error, or a cut name or an invented
/// account number would be stored as if it were right.
const LOST: [&str; 3] = ["cell.garbled", "cell.precision", "cell.formula_without_value"];

/// Characters kept of a cell: as many as the longest field takes. What is longer fits nowhere.
pub const LONGEST_CELL: usize = 5_000;

/// A row understood.
#[derive(Clone, Debug)]
pub struct Work {
    /// Its number in the file.
    pub number: i64,
    /// Its cells as read, those longer than `LONGEST_CELL` cut.
    pub cells: Vec<String>,
    /// What it says.
    pub draft: Draft,
    /// Its contact person.
    pub contact: Option<FirstContact>,
    /// Where to look for the same customer, strongest first.
    pub looked_for: Vec<Sign>,
    /// By what later rows may recognise this one.
    pub signs: Vec<Sign>,
    /// Ready to be made, or why it cannot be.
    pub prepared: Result<Prepared, Vec<Wrong>>,
    /// Whether it is wrong however the customer is found.
    pub is_broken: bool,
    /// Whether the kind was guessed.
    pub is_kind_guessed: bool,
    /// What a person should look at though the row can be used.
    pub doubts: Vec<Wrong>,
}

impl Work {
    /// How the row can be recognised: its first cell that holds something.
    pub fn name(&self) -> String {
        let name = self.cells.iter().find(|c| !c.trim().is_empty());
        name.map(|n| n.chars().take(30).collect()).unwrap_or_default()
    }

    /// The number its new customer would have; `None` when the system makes one.
    pub fn number_wanted(&self) -> Option<&str> {
        self.draft.number.as_deref().map(str::trim).filter(|n| !n.is_empty())
    }
}

/// The compiled settings. Cheap to clone.
#[derive(Clone)]
pub struct Plan(Arc<Inner>);

struct Inner {
    actor: Actor,
    catalogue: Arc<Catalogue>,
    columns: Vec<String>,
    /// Whether the file holds address cards: their numbers come from anywhere in the world.
    is_cards: bool,
    targets: Vec<Target>,
    on_duplicate: OnDuplicate,
    match_on: Vec<Keyed>,
    owner: Option<PersonId>,
    /// Sign-in names and names of active people; `None` for a name two people have.
    people: HashMap<String, Option<PersonId>>,
    /// What a person should know of the file as a whole.
    notes: Vec<Text>,
}

/// What a person should know of a file as a whole: that it was written in an older template, and which sheets are left
/// out.
pub fn file_notes(header: &sheets::Header, catalogue: &Catalogue) -> Vec<Text> {
    let mut notes: Vec<Text> = super::template::change(header, catalogue).into_iter().collect();
    // The templates have sheets of their own beside the one that is filled.
    let own = header.stamp.is_some() || header.is_error_file;
    let others = header.sheets.iter().filter(|name| Some(*name) != header.sheet.as_ref());
    let others: Vec<&str> = others.map(String::as_str).filter(|_| !own).collect();
    if !others.is_empty() {
        notes.push(text!(
            "只导入工作表“{}”，这些工作表没有导入：{}。要导入它们，请再导入一次，选择那张工作表",
            header.sheet.clone().unwrap_or_default(),
            others.iter().take(10).copied().collect::<Vec<_>>().join("、")
        ));
    }
    notes
}

/// Says which columns with a heading are left out.
fn left_out(columns: &[String], targets: &[Target]) -> Option<Text> {
    const SHOWN: usize = 12;
    let is_out =
        |(heading, target): &(&String, &Target)| **target == Target::Ignore && !heading.trim().is_empty();
    let out: Vec<String> = columns.iter().zip(targets).filter(is_out).map(|(h, _)| shorten(h)).collect();
    let names = out.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join("、");
    (!out.is_empty())
        .then(|| text!("{} 列没有导入：{}。需要时请把它们对应到字段，或选“并入备注”", out.len(), names))
}

/// Words under which people add up a list.
const SUMS: [&str; 6] = ["合计", "小计", "总计", "累计", "共计", "总数"];

/// Whether a row adds up the rows above it, by the cell where a customer's name belongs: 合计, or 以上共 12 户, or
/// nothing or a mere number (12 户) where another cell says 合计.
fn is_sum(name: &str, cells: &[String]) -> bool {
    let bare = |cell: &str| -> String {
        cell.chars().filter(|c| !c.is_whitespace() && !matches!(c, ':' | '：')).collect()
    };
    let counts = |text: &str| {
        let unit = text.trim_start_matches(|c: char| c.is_ascii_digit());
        unit.len() < text.len() && unit.chars().count() <= 1
    };
    let name = bare(name);
    let all = name.strip_prefix("以上").unwrap_or(&name).strip_prefix('共');
    SUMS.contains(&name.as_str())
        || all.is_some_and(counts)
        || ((name.is_empty() || counts(&name))
            && cells.iter().any(|cell| SUMS.contains(&bare(cell).as_str())))
}

impl Plan {
    /// Compiles an import's settings for the person it is done for.
    pub fn new(
        conn: &mut Conn<'_>,
        import: &Import,
        actor: Actor,
        catalogue: Arc<Catalogue>,
    ) -> Result<Self, AppError> {
        let targets = super::mapping::parse(&import.mapping, import.columns().len(), &catalogue)?;
        let mut people: HashMap<String, Option<PersonId>> = HashMap::new();
        if targets.contains(&Target::Owner) {
            let active: Vec<_> = org::list_people(conn)?.into_iter().filter(|p| p.is_active).collect();
            for person in &active {
                people
                    .entry(person.name.trim().to_owned())
                    .and_modify(|known| *known = None)
                    .or_insert(Some(person.id));
            }
            // A sign-in name is one person's alone and goes before a name.
            for person in &active {
                people.insert(org::username_key(&person.username), Some(person.id));
            }
        }
        let own = (actor.person_id.0 != 0).then_some(actor.person_id);
        let owner = if actor.may(Object::Customer, Verb::Assign) { import.owner_id.or(own) } else { own };
        let mut notes = import.header.as_ref().map_or_else(Vec::new, |header| file_notes(header, &catalogue));
        notes.extend(left_out(import.columns(), &targets));
        Ok(Self(Arc::new(Inner {
            notes,
            actor,
            catalogue,
            columns: import.columns().to_vec(),
            is_cards: import.header.as_ref().is_some_and(|h| h.format == sheets::Format::Vcard),
            targets,
            on_duplicate: import.on_duplicate,
            match_on: import.match_on.clone(),
            owner,
            people,
        })))
    }

    /// The headings of the file.
    pub fn columns(&self) -> &[String] {
        &self.0.columns
    }

    /// What a person should know of the file as a whole.
    pub fn notes(&self) -> &[Text] {
        &self.0.notes
    }

    /// For whom.
    pub fn actor(&self) -> &Actor {
        &self.0.actor
    }

    /// The company's dictionaries and fields.
    pub fn catalogue(&self) -> &Catalogue {
        &self.0.catalogue
    }

    /// What to do with customers that are there already.
    pub fn on_duplicate(&self) -> OnDuplicate {
        self.0.on_duplicate
    }

    /// The number of the system's own series in a row's cells, if numbers are imported and it may be given by hand.
    pub fn serial(&self, cells: &[String]) -> Option<i64> {
        let at = self.column_of(|t| *t == Target::Number)?;
        numbering::serial(cells.get(at)?.trim()).filter(|n| *n <= numbering::LARGEST_GIVEN)
    }

    /// Whether a column holds numbers of customers.
    pub fn has_numbers(&self) -> bool {
        self.0.targets.contains(&Target::Number)
    }

    /// Understands a row.
    pub fn read(&self, mut row: sheets::Row, now: Millis) -> Work {
        let mut reading = Reading::default();
        self.cut(&mut reading, &mut row);
        for problem in &row.problems {
            let column = problem.column.and_then(|c| usize::try_from(c).ok());
            let wrong = Wrong { column, text: reader::words(problem) };
            let is_left_out = column.and_then(|c| self.0.targets.get(c)) == Some(&Target::Ignore);
            if problem.is_error() || (!is_left_out && LOST.contains(&&*problem.code)) {
                reading.wrong.push(wrong);
            } else if !is_left_out {
                reading.doubts.push(wrong);
            }
        }
        let name_at = self.column_of(|target| *target == Target::Field(Field::Name));
        if let Some(at) = name_at.filter(|_| !self.0.is_cards)
            && is_sum(row.cells.get(at).map_or("", String::as_str), &row.cells)
        {
            reading.wrong(at, text!("这一行像是合计，不是客户，没有导入"));
        }
        for (at, target) in self.0.targets.iter().enumerate() {
            let cell = row.cells.get(at).map(|c| c.trim()).unwrap_or_default();
            if !cell.is_empty() && !reading.is_cut(at) {
                self.take(&mut reading, at, target, cell);
            }
        }
        self.finish(reading, row, now)
    }

    /// Cuts cells that no field could hold. With the ellipsis they stay too long, so that what was cut is not taken for
    /// whole when the error file comes back. In a column that is left out it does no harm unless the row is refused.
    fn cut(&self, reading: &mut Reading, row: &mut sheets::Row) {
        for (at, cell) in row.cells.iter_mut().enumerate() {
            let text = cell.trim();
            let Some((end, _)) = text.char_indices().nth(LONGEST_CELL) else { continue };
            *cell = format!("{}…", &text[..end]);
            reading.cut.push(at);
            if self.0.targets.get(at).is_some_and(|target| *target != Target::Ignore) {
                reading.wrong(at, too_long());
            }
        }
    }

    fn take(&self, reading: &mut Reading, at: usize, target: &Target, cell: &str) {
        match target {
            Target::Ignore => {}
            Target::Note => {
                let heading = self.0.columns.get(at).map(String::as_str).unwrap_or_default();
                reading.notes.push(self.note(heading, cell));
            }
            Target::Kind => match Kind::named(cell) {
                Some(kind) => reading.kind = Some(kind),
                None => reading.wrong(at, text!("客户性质请填写“个人”或“企业”")),
            },
            Target::Number => reading.draft.number = Some(cell.to_owned()),
            Target::Owner => {
                let by_name = self.0.people.get(cell);
                match by_name.or_else(|| self.0.people.get(&org::username_key(cell))) {
                    Some(Some(person)) => self.take_owner(reading, at, *person),
                    Some(None) => {
                        reading.wrong(at, text!("有几位员工都叫“{}”，请改填登录用户名", shorten(cell)))
                    }
                    None => reading
                        .wrong(at, text!("没有叫“{}”的在职员工，请填写姓名或登录用户名", shorten(cell))),
                }
            }
            Target::Tags => {
                let tags = cell.split([',', '，', ';', '；', '、', '|', '\n']).map(str::trim);
                reading.draft.tags = Some(tags.filter(|t| !t.is_empty()).map(str::to_owned).collect());
            }
            Target::Field(field) => {
                let spec = field.spec();
                let value = match spec.kind {
                    FieldKind::LongText => cell.to_owned(),
                    FieldKind::Phone => {
                        let (first, mut rest) = phones(cell);
                        if self.0.is_cards && hanzi::check::phone(&first).is_err() {
                            reading.notes.push(self.note(self.our(spec.zh), cell));
                            return;
                        }
                        // By the second number he is found too, where it has a place and overwrites nothing.
                        let is_free = *field == Field::Phone
                            && self.0.actor.rights.narrowest(Object::Customer, Field::Landline.key())
                                == FieldRule::Edit
                            && self.0.on_duplicate != OnDuplicate::Update
                            && !self.0.targets.contains(&Target::Field(Field::Landline));
                        if is_free && let Some(at) = rest.iter().position(|p| hanzi::check::phone(p).is_ok())
                        {
                            reading.draft.fields.insert(Field::Landline, rest.remove(at));
                        }
                        if !rest.is_empty() {
                            reading.notes.push(self.note(self.our(spec.zh), &rest.join("、")));
                        }
                        first
                    }
                    FieldKind::Email => {
                        let (first, rest) = split_values(cell);
                        if self.0.is_cards && hanzi::check::email(first).is_err() {
                            reading.notes.push(self.note(self.our(spec.zh), cell));
                            return;
                        }
                        if !rest.is_empty() {
                            reading.notes.push(self.note(self.our(spec.zh), &rest.join("、")));
                        }
                        first.to_owned()
                    }
                    FieldKind::Date => reading.date(at, one_line(cell)),
                    _ => one_line(cell),
                };
                reading.draft.fields.insert(*field, value);
            }
            Target::Custom(key) => {
                let is_date = self
                    .0
                    .catalogue
                    .custom_fields
                    .iter()
                    .any(|f| f.key == *key && f.kind == CustomKind::Date);
                let value = if is_date { reading.date(at, one_line(cell)) } else { cell.to_owned() };
                let custom = reading.draft.custom.get_or_insert_default();
                custom.insert(key.clone(), value.into());
            }
            Target::Contact(part) => {
                let value = one_line(cell);
                let contact = reading.contact.get_or_insert_default();
                match part {
                    ContactPart::Name => contact.name = value,
                    ContactPart::Title => contact.title = value,
                    ContactPart::Department => contact.department = value,
                    ContactPart::Phone => {
                        let (first, rest) = phones(cell);
                        if !rest.is_empty() {
                            reading.notes.push(self.note(self.our("联系人电话"), &rest.join("、")));
                        }
                        match hanzi::check::phone(&first) {
                            Ok(phone) => contact.phone = phone,
                            Err(p) => reading.wrong(at, Text::Both(p.zh, p.en)),
                        }
                    }
                    ContactPart::Email => match hanzi::check::email(&value) {
                        Ok(email) => contact.email = email,
                        Err(p) => reading.wrong(at, Text::Both(p.zh, p.en)),
                    },
                }
            }
        }
    }

    fn take_owner(&self, reading: &mut Reading, at: usize, person: PersonId) {
        if self.0.actor.may(Object::Customer, Verb::Assign) || person == self.0.actor.person_id {
            reading.draft.owner_id = Some(Some(person));
        } else {
            reading.wrong(at, access::refusal(Object::Customer, Verb::Assign));
        }
    }

    fn finish(&self, mut reading: Reading, row: sheets::Row, now: Millis) -> Work {
        self.settle_contact(&mut reading);
        if !reading.notes.is_empty() {
            let remark = reading.draft.fields.entry(Field::Remark).or_default();
            for note in &reading.notes {
                if !remark.is_empty() {
                    remark.push('\n');
                }
                remark.push_str(note);
            }
        }
        let is_kind_guessed = reading.kind.is_none();
        let kind = reading.kind.unwrap_or_else(|| guess_kind(&reading.draft, reading.contact.is_some()));
        if !is_kind_guessed {
            reading.draft.kind = Some(kind);
        }
        let keys = keys_of(kind, &reading.draft);
        let is_broken = !reading.wrong.is_empty();
        let owner = reading.draft.owner_id.flatten().or(self.0.owner);
        reading.draft.has_contact = reading.contact.is_some();
        let made = customers::prepare(
            &self.0.catalogue,
            &self.0.actor,
            kind,
            &reading.draft,
            owner,
            reading.contact.clone(),
            now,
        );
        if let Ok(prepared) = &made {
            let against = customers::against_id_number(&prepared.customer().values);
            let column = |field| self.column_of(|t| *t == Target::Field(field));
            let doubts = against.into_iter().map(|(field, text)| Wrong { column: column(field), text });
            reading.doubts.extend(doubts);
        }
        let prepared = match made {
            Ok(prepared) if !is_broken => Ok(prepared),
            Ok(_) => Err(reading.wrongs(&[])),
            Err(errors) => {
                let more: Vec<Wrong> = errors.iter().map(|e| self.wrong_of(e)).collect();
                Err(reading.wrongs(&more))
            }
        };
        Work {
            number: i64::try_from(row.number).unwrap_or(i64::MAX),
            cells: row.cells,
            looked_for: looked_for(&self.0.match_on, kind, &keys),
            signs: signs(&self.0.match_on, &keys),
            draft: reading.draft,
            contact: reading.contact,
            prepared,
            is_broken,
            is_kind_guessed,
            doubts: reading.doubts,
        }
    }

    /// A contact without a name cannot be kept as one: its phone becomes the customer's, the rest a remark.
    fn settle_contact(&self, reading: &mut Reading) {
        let too_long = reading
            .contact
            .as_ref()
            .is_some_and(|c| [&c.name, &c.title, &c.department].iter().any(|v| v.chars().count() > 60));
        if too_long {
            let at = self.column_of(|t| matches!(t, Target::Contact(ContactPart::Name)));
            reading.wrong.push(Wrong {
                column: at, text: text!("联系人的姓名、职务、部门最多 {} 个字", 60)
            });
        }
        if reading.contact.as_ref().is_none_or(|c| !c.name.is_empty()) {
            return;
        }
        let Some(contact) = reading.contact.take() else { return };
        if !contact.phone.is_empty() && !reading.draft.fields.contains_key(&Field::Phone) {
            reading.draft.fields.insert(Field::Phone, contact.phone);
        } else if !contact.phone.is_empty() {
            reading.notes.push(self.note(self.our("联系人电话"), &contact.phone));
        }
        for (title, value) in
            [("联系人职务", contact.title), ("联系人部门", contact.department), ("联系人邮箱", contact.email)]
        {
            if !value.is_empty() {
                reading.notes.push(self.note(self.our(title), &value));
            }
        }
    }

    /// A title of ours in the language of the one who imports; headings of the file stay as they are.
    fn our<'t>(&self, title: &'t str) -> &'t str {
        self.0.actor.lang.t(title)
    }

    /// A line of the remark.
    fn note(&self, heading: &str, value: &str) -> String {
        self.0.actor.lang.f("{}：{}", &[&heading, &value])
    }

    fn column_of(&self, is: impl Fn(&Target) -> bool) -> Option<usize> {
        self.0.targets.iter().position(is)
    }

    /// Puts a field's error at its column; without one, the field is named in the words.
    pub fn wrong_of(&self, error: &FieldError) -> Wrong {
        let code = if error.field == "owner_id" { "owner" } else { error.field.as_str() };
        let column = self.column_of(|t| t.code() == code);
        Wrong { column, text: error.text.clone() }
    }

    /// An action's refusal as what is wrong with the row.
    pub fn wrongs_of(&self, error: &AppError) -> Option<Vec<Wrong>> {
        match error {
            AppError::Invalid(errors) => Some(errors.iter().map(|e| self.wrong_of(e)).collect()),
            AppError::NotFound | AppError::Hidden { .. } | AppError::Stale => Some(vec![Wrong {
                column: None,
                text: text!("客户刚被别人改动或删除，请重新导入这一行"),
            }]),
            AppError::Forbidden(text) | AppError::Conflict(text) => {
                Some(vec![Wrong { column: None, text: text.clone() }])
            }
            _ => None,
        }
    }
}

#[derive(Default)]
struct Reading {
    kind: Option<Kind>,
    draft: Draft,
    contact: Option<FirstContact>,
    notes: Vec<String>,
    wrong: Vec<Wrong>,
    doubts: Vec<Wrong>,
    /// Columns whose cells were cut.
    cut: Vec<usize>,
}

/// What is said of a cell that was cut.
fn too_long() -> Text {
    text!("内容超过 {} 个字，请缩短；错误文件里只保留了前面的部分", LONGEST_CELL)
}

impl Reading {
    fn is_cut(&self, column: usize) -> bool {
        self.cut.contains(&column)
    }

    /// All that is wrong with a row that is refused: what was read, what its fields say, and which cells are not whole
    /// though nobody asked for them. A cell that was cut is not told to be missing too.
    fn wrongs(&self, more: &[Wrong]) -> Vec<Wrong> {
        let is_told = |column: usize| self.wrong.iter().any(|w| w.column == Some(column));
        let more = more.iter().filter(|w| w.column.is_none_or(|column| !self.is_cut(column)));
        let cut = self.cut.iter().filter(|at| !is_told(**at));
        let cut = cut.map(|at| Wrong { column: Some(*at), text: too_long() });
        self.wrong.iter().cloned().chain(more.cloned()).chain(cut).collect()
    }

    /// A date as written; a serial of Excel, whose cell was not formatted as a date, becomes its day and is shown.
    fn date(&mut self, column: usize, cell: String) -> String {
        let Some(day) = day_of_serial(&cell) else { return cell };
        let text = text!("“{}”按 Excel 的日期序号读作 {}", shorten(&cell), day);
        self.doubts.push(Wrong { column: Some(column), text });
        day
    }

    fn wrong(&mut self, column: usize, text: Text) {
        self.wrong.push(Wrong { column: Some(column), text });
    }
}

/// The day of a serial of Excel (1900 system), from 1950 to 2100: five digits, maybe with a time behind the point.
fn day_of_serial(cell: &str) -> Option<String> {
    let (whole, rest) = cell.split_once('.').unwrap_or((cell, ""));
    let is_serial = whole.len() == 5 && whole.bytes().chain(rest.bytes()).all(|b| b.is_ascii_digit());
    let serial: i32 = whole.parse().ok().filter(|_| is_serial)?;
    // Serials after Excel's 29 February 1900, which never was, count from 30 December 1899.
    let day = jiff::civil::date(1899, 12, 30).checked_add(jiff::Span::new().days(serial)).ok()?;
    (1950..=2100).contains(&day.year()).then(|| day.to_string())
}

fn shorten(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(20).collect()
}

/// A line break inside a cell that holds one line was made for looks.
fn one_line(cell: &str) -> String {
    if cell.contains(['\n', '\r', '\t']) {
        cell.split(['\n', '\r', '\t']).map(str::trim).filter(|p| !p.is_empty()).collect::<Vec<_>>().join(" ")
    } else {
        cell.to_owned()
    }
}

/// A number of a phone as a program wrote it that took it for a decimal: without the point and its zero.
fn unfloated(cell: &str) -> &str {
    let whole = cell.strip_suffix(".0").filter(|whole| whole.bytes().all(|b| b.is_ascii_digit()));
    whole.unwrap_or(cell)
}

/// The first of several numbers or addresses in a cell, and the others.
fn split_values(cell: &str) -> (&str, Vec<String>) {
    const SEPARATORS: [char; 10] = [';', '；', '、', '\n', '\r', '|', ',', '，', '/', '／'];
    let mut parts = cell.split(SEPARATORS).map(str::trim).filter(|p| !p.is_empty());
    let first = parts.next().unwrap_or(cell);
    (first, parts.map(str::to_owned).collect())
}

/// The first of several phone numbers in a cell, and the others: also with a space between them, or with a word in
/// brackets behind, as 13800138000(父亲), which stays among the others.
fn phones(cell: &str) -> (String, Vec<String>) {
    let is_phone = |text: &str| hanzi::check::phone(text).is_ok();
    let (first, rest) = split_values(unfloated(cell));
    let mut found: Vec<String> = Vec::new();
    for part in std::iter::once(first.to_owned()).chain(rest) {
        let apart: Vec<&str> = part.split_whitespace().collect();
        if !is_phone(&part) && apart.len() > 1 && apart.iter().all(|one| is_phone(one)) {
            found.extend(apart.into_iter().map(str::to_owned));
        } else {
            found.push(part);
        }
    }
    let bracket = found[0].find(['(', '（']);
    if let Some(at) = bracket.filter(|_| !is_phone(&found[0]))
        && is_phone(found[0][..at].trim())
    {
        let number = found[0][..at].trim().to_owned();
        found.insert(0, number);
    }
    let first = found.remove(0);
    (first, found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serials_of_excel_are_days_within_a_century_and_a_half() {
        for (cell, day) in [
            ("18264", Some("1950-01-01")),
            ("45000", Some("2023-03-15")),
            ("45000.75", Some("2023-03-15")),
            ("73415", Some("2100-12-31")),
            ("18263", None),
            ("73416", None),
            ("4500", None),
            ("450000", None),
            ("-4500", None),
            ("45000.x", None),
            ("２０２６５", None),
        ] {
            assert_eq!(day_of_serial(cell).as_deref(), day, "{cell}");
        }
    }

    #[test]
    fn only_what_stands_where_a_name_belongs_adds_a_list_up() {
        let row = |cells: [&str; 3]| cells.map(str::to_owned);
        for (name, cells) in [
            ("合 计：", ["", "合 计：", "12"]),
            ("以上共12户", ["", "以上共12户", ""]),
            ("2户", ["小计", "2户", ""]),
            ("", ["合计", "", "89.5"]),
        ] {
            assert!(is_sum(name, &row(cells)), "{name}");
        }
        for (name, cells) in [
            ("张三", ["1", "张三", "共3人"]),
            ("李四", ["合计", "李四", "13800138000"]),
            ("共青团广州市委", ["", "共青团广州市委", ""]),
            ("360公司", ["", "360公司", ""]),
            ("", ["1", "", "共2台"]),
        ] {
            assert!(!is_sum(name, &row(cells)), "{name}");
        }
    }

    /// What is cut must stay too long for any field, or it would be taken for whole when the error file comes back.
    #[test]
    fn no_field_is_longer_than_the_cells_that_are_kept() {
        assert!(customers::SPECS.iter().all(|spec| spec.longest <= LONGEST_CELL));
    }

    #[test]
    fn several_numbers_in_a_cell_keep_the_first_and_note_the_rest() {
        let one = |text: &str| vec![text.to_owned()];
        assert_eq!(split_values("13800138000；010-88886666"), ("13800138000", one("010-88886666")));
        assert_eq!(phones("13800138000 13900139000"), ("13800138000".to_owned(), one("13900139000")));
        assert_eq!(phones("138 0013 8000"), ("138 0013 8000".to_owned(), vec![]));
        assert_eq!(phones("010 8888 6666"), ("010 8888 6666".to_owned(), vec![]));
        let father = "13800138000（父亲）";
        assert_eq!(phones(father), ("13800138000".to_owned(), one(father)));
        assert_eq!(split_values("13800138000"), ("13800138000", vec![]));
        assert_eq!(split_values("13800138000/13900139000"), ("13800138000", one("13900139000")));
        assert_eq!(
            (unfloated("13800138000.0"), unfloated("1.0a"), unfloated("x.0")),
            ("13800138000", "1.0a", "x.0")
        );
        assert_eq!(one_line("甲\n乙"), "甲 乙");
    }
}
