//! A case on paper: its form with all copies, as its reader may see it.

use std::collections::{HashMap, HashSet};

use policy::model::{Field as FormField, FieldKind};
use policy::value::{Kind, Value};
use print::{
    Align, Approval, Block, CheckItem, CheckState, Checklist, Code, Column, Field, Fields, GrandTotal,
    Imprint, Layout, Picture, PictureFormat, Signature, Slip, SlipCopy, Table, Trail, Value as Printed,
};

use super::load::Loaded;
use super::model::Trail as Happened;
use super::world::Ground;
use crate::prints::Print;

/// What paper is made from.
pub(super) struct Paper<'a> {
    pub loaded: &'a Loaded,
    pub ground: &'a Ground,
    /// Places of the fields the reader may not see.
    pub hidden: &'a HashSet<usize>,
    /// What records are called, for the reader.
    pub called: &'a dyn Fn(Kind, &str) -> String,
    /// The pictures of signatures, by id of their file.
    pub pictures: &'a HashMap<String, Vec<u8>>,
    pub trail: &'a [Happened],
    pub print: &'a Print,
    pub by: String,
    pub company: String,
    /// Where the code on the paper leads.
    pub address: String,
}

impl Paper<'_> {
    /// The form with the copies that are printed.
    pub fn slip(&self) -> Slip {
        let form = &self.loaded.form;
        let at = self.ground.zone.zoned(self.print.at);
        let count = u32::try_from(self.print.count).unwrap_or(u32::MAX);
        let mut slip = Slip::new(form.title.clone(), Imprint { by: self.by.clone(), at, count });
        slip.company.clone_from(&self.company);
        slip.number.clone_from(&self.loaded.case.number);
        let clause = form.clause.iter().map(|clause| format!("《{}》{clause}", self.loaded.policy.title));
        slip.clauses = clause.collect();
        slip.code = Some(Code::new(self.address.clone()));
        slip.layout = if self.print.layout == "strips" { Layout::Strips } else { Layout::Pages };
        let (mut fields, mut after) = (Vec::new(), Vec::new());
        let filled = form.fields.iter().zip(&self.loaded.state.values).enumerate();
        let mut printed: HashSet<&str> = HashSet::new();
        for (_, (field, value)) in
            filled.filter(|(place, (_, value))| value.is_known() && !self.hidden.contains(place))
        {
            printed.insert(&field.id);
            match (field.kind, value) {
                (FieldKind::Signature, Value::Text(file)) => {
                    let picture = self
                        .pictures
                        .get(&**file)
                        .map(|bytes| Picture { format: PictureFormat::Png, bytes: bytes.clone() });
                    slip.signatures.push(Signature {
                        id: field.id.clone(),
                        picture,
                        ..Signature::new(field.title.clone())
                    });
                }
                (FieldKind::Lines, Value::List(rows)) => after.push(Block::Table(self.table(field, rows))),
                (FieldKind::Checklist, value) => after.push(Block::Checklist(checklist(field, value))),
                _ => fields.push(self.field(field, value)),
            }
        }
        slip.blocks.push(Block::Fields(Fields { fields, ..Fields::default() }));
        slip.blocks.extend(after);
        let decided: Vec<Approval> = self
            .trail
            .iter()
            .filter(|line| line.kind == "decided")
            .map(|line| Approval {
                who: line
                    .actor_id
                    .map_or_else(String::new, |id| (self.called)(Kind::Person, &id.to_string())),
                verdict: line.text.clone(),
                at: Some(self.ground.zone.civil(line.at)),
                ..Approval::default()
            })
            .collect();
        if !decided.is_empty() {
            slip.blocks.push(Block::Trail(Trail {
                title: "审批记录".into(),
                rows: decided,
                ..Trail::default()
            }));
        }
        let wanted: Vec<&str> = self.print.copies.split(',').filter(|name| !name.is_empty()).collect();
        slip.copies = form
            .copies
            .iter()
            .filter(|copy| wanted.is_empty() || wanted.contains(&copy.id.as_str()))
            .map(|copy| SlipCopy {
                name: copy.title.clone(),
                receiver: copy.to.join("、"),
                leaves_out: form
                    .fields
                    .iter()
                    .filter(|field| field.not_on.contains(&copy.id) && printed.contains(field.id.as_str()))
                    .map(|field| field.id.clone())
                    .collect(),
            })
            .collect();
        slip
    }

    fn field(&self, field: &FormField, value: &Value) -> Field {
        let printed = match (field.kind, value) {
            (_, Value::Money(cents)) => Printed::Cents(*cents),
            (_, Value::Date(date)) => Printed::Date(*date),
            (FieldKind::Long, value) => Printed::Long(self.text(field, value)),
            (_, value) => Printed::Text(self.text(field, value)),
        };
        Field::new(field.id.clone(), field.title.clone(), printed)
    }

    fn text(&self, field: &FormField, value: &Value) -> String {
        let called =
            |id: &str| field.kind.reference().map_or_else(|| id.to_owned(), |kind| (self.called)(kind, id));
        match value {
            Value::Null | Value::Row(_) => String::new(),
            Value::Bool(value) => if *value { "是" } else { "否" }.to_owned(),
            Value::Int(value) => value.to_string(),
            Value::Number(value) => value.to_string(),
            Value::Money(cents) => policy::value::yuan(*cents),
            Value::Text(text) => called(text),
            Value::Date(date) => date.to_string(),
            Value::Time(at) => self.ground.zone.minute(*at),
            Value::List(_) => value.as_texts().iter().map(|id| called(id)).collect::<Vec<_>>().join("、"),
        }
    }

    /// Lines, and what their amounts come to when there is one column of amounts named like a sum.
    fn table(&self, field: &FormField, rows: &[Value]) -> Table {
        let is_money = |column: &FormField| column.kind == FieldKind::Money;
        let columns = field.columns.iter().map(|column| {
            let is_number = is_money(column) || matches!(column.kind, FieldKind::Number | FieldKind::Int);
            let align = if is_number { Align::Right } else { Align::Left };
            Column::new(format!("{}.{}", field.id, column.id), column.title.clone()).aligned(align)
        });
        let cells = |row: &Value| match row {
            Value::Row(cells) => {
                let cell = |column: &FormField| {
                    cells.get(&column.id).map_or_else(String::new, |value| self.text(column, value))
                };
                field.columns.iter().map(cell).collect()
            }
            _ => vec![String::new(); field.columns.len()],
        };
        // The last column of amounts is what a line comes to.
        let total = field.columns.iter().rfind(|column| is_money(column)).map(|column| {
            let amount = |row: &Value| match row {
                Value::Row(cells) => match cells.get(&column.id) {
                    Some(Value::Money(cents)) => *cents,
                    _ => 0,
                },
                _ => 0,
            };
            let cents = rows.iter().map(amount).fold(0_i64, i64::saturating_add);
            GrandTotal { id: String::new(), label: format!("{}合计", column.title), cents }
        });
        Table {
            id: field.id.clone(),
            title: field.title.clone(),
            columns: columns.collect(),
            rows: rows.iter().map(cells).collect(),
            grand_total: total,
            is_numbered: true,
            ..Table::default()
        }
    }
}

fn checklist(field: &FormField, value: &Value) -> Checklist {
    let ticked = value.as_texts();
    let item = |label: &String| CheckItem {
        label: label.clone(),
        state: if ticked.contains(label) { CheckState::Yes } else { CheckState::Open },
        ..CheckItem::default()
    };
    Checklist {
        id: field.id.clone(),
        title: field.title.clone(),
        items: field.options.iter().map(item).collect(),
    }
}
