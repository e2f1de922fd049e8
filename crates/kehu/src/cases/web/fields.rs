//! The fields of a form as inputs, and what is sent back as values. The form is the regulation's; nothing here knows one.

use askama::Template;
use policy::case::Case as State;
use policy::model::{Field, FieldKind, Form};
use policy::value::{Value, yuan};
use serde_json::{Map, Value as Json};

use super::names::Names;
use crate::clock::Zone;
use crate::i18n::Lang;
use crate::web::{Choice, FormData, FormErrors};

/// Lines of a table that are open at first, and how many there are at most.
const FIRST_LINES: usize = 3;
const MOST_LINES: usize = 200;

/// One field as a template shows it.
#[derive(Clone, Debug)]
pub(super) struct Input {
    /// Its name in the form that is sent: `v.FIELD`.
    pub name: String,
    pub title: String,
    pub help: String,
    /// Which widget: `text`, `long`, `number`, `money`, `bool`, `date`, `time`, `choice`, `choices`, `ref`, `refs`,
    /// `file`, `files`, `signature`, `rating` or `lines`.
    pub widget: &'static str,
    pub is_required: bool,
    pub value: String,
    /// What a reference is called.
    pub shown: String,
    /// Several values and what they are called.
    pub many: Vec<(String, String)>,
    /// The values alone.
    ticked: Vec<String>,
    pub options: Vec<Choice>,
    /// Where a reference is looked up.
    pub url: String,
    /// Further attributes of the input.
    pub attrs: String,
    pub error: String,
    /// The columns of lines.
    pub columns: Vec<String>,
    /// The lines, a cell a column.
    pub lines: Vec<Vec<Input>>,
}

impl Input {
    /// The values a group of checkboxes has ticked.
    pub fn chosen(&self) -> &[String] {
        &self.ticked
    }
}

/// The inputs of one form, as HTML.
#[derive(Template)]
#[template(path = "cases/inputs.html")]
pub(super) struct Inputs {
    pub l: Lang,
    /// Begins the ids of the inputs: one page may have several forms with the same field.
    pub of: String,
    pub inputs: Vec<Input>,
    /// Bytes a file may have.
    pub limit: u64,
}

impl Inputs {
    /// The names of the fields, as errors name them.
    pub fn names(&self) -> Vec<&str> {
        self.inputs.iter().map(|input| input.name.trim_start_matches("v.")).collect()
    }
}

/// What inputs are made from.
pub(super) struct Maker<'a> {
    pub form: &'a Form,
    /// Which of several forms of the page it is; empty when there is only one.
    pub of: &'a str,
    /// The case; none when it is being opened.
    pub case: Option<&'a State>,
    /// What was sent and refused.
    pub data: &'a FormData,
    pub errors: &'a FormErrors,
    pub names: &'a Names,
    pub zone: &'a Zone,
    pub l: Lang,
    pub limit: u64,
}

impl Maker<'_> {
    /// The inputs of what must and what may be filled.
    pub fn inputs(&self, fill: &[usize], offer: &[usize]) -> Inputs {
        let must = fill.iter().map(|place| (*place, true));
        let may = offer.iter().map(|place| (*place, false));
        // Twice in one form, the empty one would win over what was written into the other.
        let mut seen = Vec::new();
        let inputs = must
            .chain(may)
            .filter(|(place, _)| {
                let is_new = !seen.contains(place);
                seen.push(*place);
                is_new
            })
            .filter_map(|(place, is_required)| self.input(self.form.fields.get(place)?, place, is_required))
            .collect();
        let of = if self.of.is_empty() { String::new() } else { format!("{}-", self.of) };
        Inputs { l: self.l, of, inputs, limit: self.limit }
    }

    fn input(&self, field: &Field, place: usize, is_required: bool) -> Option<Input> {
        // What is computed is nobody's to fill.
        if field.value.is_some() {
            return None;
        }
        let name = name_of(&field.id);
        let now = self.case.and_then(|case| case.values.get(place)).cloned().unwrap_or_default();
        let mut input = self.blank(field, name.clone());
        input.is_required = is_required;
        self.errors.of(&field.id).clone_into(&mut input.error);
        let is_sent =
            self.data.0.iter().any(|(sent, _)| *sent == name || sent.starts_with(&format!("{name}.")));
        match (field.kind, is_sent) {
            (FieldKind::Lines, _) => {
                input.lines = self.lines(field, &name, if is_sent { None } else { Some(&now) });
            }
            (_, true) => self.take_sent(field, &mut input),
            (_, false) => self.take_value(field, &now, &mut input),
        }
        input.ticked = input.many.iter().map(|(value, _)| value.clone()).collect();
        Some(input)
    }

    fn blank(&self, field: &Field, name: String) -> Input {
        let choice = |text: &String| Choice { value: text.clone(), label: text.clone() };
        let mut attrs = String::new();
        let (widget, url) = match field.kind {
            FieldKind::Text => ("text", String::new()),
            FieldKind::Long => ("long", String::new()),
            FieldKind::Number | FieldKind::Int => ("number", String::new()),
            FieldKind::Money => ("money", String::new()),
            FieldKind::Bool => ("bool", String::new()),
            FieldKind::Date => ("date", String::new()),
            FieldKind::Time => ("time", String::new()),
            FieldKind::Choice => ("choice", String::new()),
            FieldKind::Choices | FieldKind::Checklist => ("choices", String::new()),
            FieldKind::Rating => ("rating", String::new()),
            FieldKind::File => ("file", String::new()),
            FieldKind::Files => ("files", String::new()),
            FieldKind::Signature => ("signature", String::new()),
            FieldKind::Lines => ("lines", String::new()),
            FieldKind::People => ("refs", "/cases/find/people".to_owned()),
            // Whom the regulation ranks for it comes in its order.
            FieldKind::Person => match self.case.filter(|_| field.among.is_some()) {
                Some(case) => ("ref", format!("/cases/{}/candidates/{}", case.id, field.id)),
                None => ("ref", "/cases/find/people".to_owned()),
            },
            FieldKind::Unit => ("ref", "/cases/find/units".to_owned()),
            FieldKind::Customer if field.by_name => ("ref", "/cases/find/customers?named=1".to_owned()),
            FieldKind::Customer => ("ref", "/cases/find/customers".to_owned()),
            FieldKind::Contact => ("ref", self.hanging_url("contacts")),
            FieldKind::Asset => ("ref", self.hanging_url("assets")),
            FieldKind::Case => {
                ("ref", format!("/cases/find/cases?form={}", field.form.as_deref().unwrap_or("")))
            }
        };
        match field.kind {
            FieldKind::Text | FieldKind::Long => {
                let most = field.max.map_or(if widget == "text" { 200 } else { 5_000 }, |max| max as i64);
                attrs = format!("maxlength=\"{most}\"");
            }
            FieldKind::Number | FieldKind::Int => {
                attrs.push_str(if field.kind == FieldKind::Int { "step=\"1\"" } else { "step=\"any\"" });
                for (bound, value) in [("min", field.min), ("max", field.max)] {
                    if let Some(value) = value {
                        attrs.push_str(&format!(" {bound}=\"{value}\""));
                    }
                }
            }
            _ => {}
        }
        let options = match field.kind {
            FieldKind::Rating => {
                let most = field.max.unwrap_or(5.0).clamp(1.0, 10.0) as i64;
                (1..=most).map(|n| Choice { value: n.to_string(), label: n.to_string() }).collect()
            }
            FieldKind::Bool => vec![
                Choice { value: "1".into(), label: self.l.t("是").to_owned() },
                Choice { value: "0".into(), label: self.l.t("否").to_owned() },
            ],
            _ => field.options.iter().map(choice).collect(),
        };
        Input {
            name,
            title: field.title.clone(),
            help: field.help.clone(),
            widget,
            is_required: false,
            value: String::new(),
            shown: String::new(),
            many: Vec::new(),
            ticked: Vec::new(),
            options,
            url,
            attrs,
            error: String::new(),
            columns: written_columns(field).map(|column| column.title.clone()).collect(),
            lines: Vec::new(),
        }
    }

    /// Contacts and assets are looked up among those of the case's customer, once it is known.
    fn hanging_url(&self, what: &str) -> String {
        let customer = self.case.and_then(|case| case.customer.as_deref()).unwrap_or_default();
        format!("/cases/find/{what}?customer={customer}")
    }

    fn take_sent(&self, field: &Field, input: &mut Input) {
        let kind = field.kind.reference();
        let called = |id: &str| kind.map_or(id, |kind| self.names.of(kind, id)).to_owned();
        match input.widget {
            "choices" | "refs" | "files" => {
                let sent = self.data.all(&input.name).into_iter().filter(|value| !value.is_empty());
                input.many = sent.map(|value| (value.to_owned(), called(value))).collect();
            }
            _ => {
                self.data.get(&input.name).clone_into(&mut input.value);
                if kind.is_some() && !input.value.is_empty() {
                    input.shown = called(&input.value);
                    if field.by_name && input.shown.is_empty() {
                        input.shown.clone_from(&input.value);
                    }
                }
            }
        }
    }

    fn take_value(&self, field: &Field, value: &Value, input: &mut Input) {
        let kind = field.kind.reference();
        match (value, kind) {
            (Value::List(_), _) => {
                let called = |id: &str| kind.map_or(id, |kind| self.names.of(kind, id)).to_owned();
                input.many = value.as_texts().into_iter().map(|id| (id.clone(), called(&id))).collect();
            }
            (Value::Text(id), Some(kind)) => {
                input.value = id.to_string();
                self.names.of(kind, id).clone_into(&mut input.shown);
            }
            (value, _) => input.value = self.written(value),
        }
    }

    /// A value as its input writes it.
    fn written(&self, value: &Value) -> String {
        match value {
            Value::Bool(value) => if *value { "1" } else { "0" }.to_owned(),
            Value::Int(value) => value.to_string(),
            Value::Number(value) => value.to_string(),
            Value::Money(cents) => yuan(*cents),
            Value::Text(text) => text.to_string(),
            Value::Date(date) => date.to_string(),
            Value::Time(at) => self.zone.civil(*at).strftime("%Y-%m-%dT%H:%M").to_string(),
            Value::Null | Value::List(_) | Value::Row(_) => String::new(),
        }
    }

    /// The lines sent, or those there are, and a few empty ones to write in.
    fn lines(&self, field: &Field, name: &str, now: Option<&Value>) -> Vec<Vec<Input>> {
        let rows: Vec<Value> = match now {
            Some(Value::List(rows)) => rows.iter().cloned().collect(),
            _ => Vec::new(),
        };
        let count = match now {
            None => line_numbers(self.data, name).len(),
            Some(_) => rows.len() + FIRST_LINES,
        };
        (0..count.clamp(1, MOST_LINES))
            .map(|line| {
                let cell = |column: &Field| {
                    let mut cell = self.blank(column, format!("{name}.{line}.{}", column.id));
                    match (now, rows.get(line)) {
                        (None, _) => self.take_sent(column, &mut cell),
                        (_, Some(Value::Row(row))) => {
                            let value = row.get(&column.id).cloned().unwrap_or_default();
                            self.take_value(column, &value, &mut cell);
                        }
                        _ => {}
                    }
                    cell
                };
                written_columns(field).map(cell).collect()
            })
            .collect()
    }
}

/// The columns of a table that people write in; the others are computed.
fn written_columns(field: &Field) -> impl Iterator<Item = &Field> {
    field.columns.iter().filter(|column| column.value.is_none())
}

fn name_of(field: &str) -> String {
    format!("v.{field}")
}

/// The numbers of the lines that were sent, in order.
fn line_numbers(data: &FormData, name: &str) -> Vec<usize> {
    let prefix = format!("{name}.");
    let mut numbers: Vec<usize> = data
        .0
        .iter()
        .filter_map(|(sent, _)| sent.strip_prefix(&prefix)?.split('.').next()?.parse().ok())
        .filter(|number| *number < MOST_LINES)
        .collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

/// What was sent, as the engine reads it: only fields of these places, and only those that were there.
pub(super) fn read(form: &Form, places: &[usize], data: &FormData) -> Map<String, Json> {
    let mut values = Map::new();
    for place in places {
        let Some(field) = form.fields.get(*place).filter(|field| field.value.is_none()) else { continue };
        let name = name_of(&field.id);
        let value = match field.kind {
            FieldKind::Lines => {
                let numbers = line_numbers(data, &name);
                if numbers.is_empty() {
                    continue;
                }
                Json::Array(numbers.iter().filter_map(|line| line_of(field, &name, *line, data)).collect())
            }
            FieldKind::Choices | FieldKind::Checklist | FieldKind::People | FieldKind::Files => {
                if data.find(&name).is_none() {
                    continue;
                }
                let sent = data.all(&name).into_iter().filter(|value| !value.is_empty());
                Json::Array(sent.map(Json::from).collect())
            }
            _ => match data.find(&name) {
                None => continue,
                Some(text) => Json::from(text),
            },
        };
        values.insert(field.id.clone(), value);
    }
    values
}

/// A line that somebody wrote something in.
fn line_of(field: &Field, name: &str, line: usize, data: &FormData) -> Option<Json> {
    let mut row = Map::new();
    for column in written_columns(field) {
        let text = data.get(&format!("{name}.{line}.{}", column.id)).trim();
        if !text.is_empty() {
            row.insert(column.id.clone(), Json::from(text));
        }
    }
    (!row.is_empty()).then_some(Json::Object(row))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(pairs: &[(&str, &str)]) -> FormData {
        FormData(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn lines_are_told_apart_by_their_numbers() {
        let sent = data(&[
            ("v.items.0.name", "灯"),
            ("v.items.10.name", "管"),
            ("v.items.x.name", ""),
            ("v.item.2.name", ""),
        ]);
        assert_eq!(line_numbers(&sent, "v.items"), [0, 10]);
        assert!(line_numbers(&data(&[("v.items.4000000000.name", "")]), "v.items").is_empty());
    }
}
