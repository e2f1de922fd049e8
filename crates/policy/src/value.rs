//! Values of forms and conditions, their types, and how they look in JSON.

use std::collections::BTreeMap;
use std::sync::Arc;

use hanzi::normal::visible;
use jiff::civil::Date;
use serde_json::Value as Json;

/// A point in time: milliseconds since 1970-01-01 UTC.
pub type Millis = i64;

/// Longest text by which cases are compared.
pub const LONGEST_COMPARED: usize = 200;

/// A value. References to people, units, customers and other records are the text of their ids.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Value {
    /// Not known.
    #[default]
    Null,
    /// Yes or no.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Any number.
    Number(f64),
    /// An amount in cents (分) of the company's currency.
    Money(i64),
    /// Text, a choice, or the id of a record.
    Text(Arc<str>),
    /// A day.
    Date(Date),
    /// A point in time.
    Time(Millis),
    /// Many values.
    List(Arc<[Value]>),
    /// A line of a table.
    Row(Arc<BTreeMap<String, Value>>),
}

impl Value {
    /// A text.
    pub fn text(value: impl AsRef<str>) -> Self {
        Self::Text(Arc::from(value.as_ref()))
    }

    /// A list.
    pub fn list(items: impl IntoIterator<Item = Value>) -> Self {
        Self::List(items.into_iter().collect())
    }

    /// Many texts.
    pub fn texts<T: AsRef<str>>(items: impl IntoIterator<Item = T>) -> Self {
        Self::list(items.into_iter().map(Self::text))
    }

    /// Whether there is something: not unknown, no empty text, no empty list.
    pub fn is_known(&self) -> bool {
        match self {
            Self::Null => false,
            Self::Text(text) => !text.is_empty(),
            Self::List(items) => !items.is_empty(),
            _ => true,
        }
    }

    /// Yes; anything that is not known counts as no.
    pub fn is_true(&self) -> bool {
        matches!(self, Self::Bool(true))
    }

    /// The text, if it is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The items of a list; a single text counts as a list of one, nothing as an empty one.
    pub fn as_texts(&self) -> Vec<String> {
        match self {
            Self::Text(text) if !text.is_empty() => vec![text.to_string()],
            Self::List(items) => items.iter().filter_map(Self::as_text).map(str::to_owned).collect(),
            _ => Vec::new(),
        }
    }

    /// The text by which it is told whether two cases have the same; nothing for what is not known, lists, amounts, and
    /// texts of more than `LONGEST_COMPARED` characters. Days and times stand in the order of their texts.
    pub fn compared(&self) -> Option<String> {
        match self {
            Self::Text(text) if text.chars().count() > LONGEST_COMPARED => None,
            Self::Text(text) => (!text.is_empty()).then(|| text.to_string()),
            Self::Bool(_) | Self::Int(_) | Self::Time(_) => Some(self.to_json().to_string()),
            Self::Date(day) => Some(day.to_string()),
            _ => None,
        }
    }

    /// The point in time, if it is one.
    pub fn as_time(&self) -> Option<Millis> {
        match self {
            Self::Time(at) => Some(*at),
            _ => None,
        }
    }

    /// As JSON: money in cents, times in milliseconds, dates as `2026-09-28`.
    pub fn to_json(&self) -> Json {
        match self {
            Self::Null => Json::Null,
            Self::Bool(value) => Json::Bool(*value),
            Self::Int(value) | Self::Money(value) | Self::Time(value) => Json::from(*value),
            Self::Number(value) => Json::from(*value),
            Self::Text(value) => Json::from(&**value),
            Self::Date(value) => Json::from(value.to_string()),
            Self::List(items) => Json::Array(items.iter().map(Self::to_json).collect()),
            Self::Row(row) => {
                Json::Object(row.iter().map(|(name, value)| (name.clone(), value.to_json())).collect())
            }
        }
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}
impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}
impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::text(value)
    }
}
impl From<Option<String>> for Value {
    fn from(value: Option<String>) -> Self {
        value.map_or(Self::Null, Self::text)
    }
}
impl From<Vec<String>> for Value {
    fn from(value: Vec<String>) -> Self {
        Self::texts(value)
    }
}

/// What a reference points at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// A member of the company.
    Person,
    /// A unit of the organisation.
    Unit,
    /// A customer.
    Customer,
    /// A contact of a customer.
    Contact,
    /// A vehicle, room, meter or product of a customer.
    Asset,
    /// A case.
    Case,
    /// A file.
    File,
}

impl Kind {
    /// In Chinese.
    pub fn title(self) -> &'static str {
        match self {
            Self::Person => "人员",
            Self::Unit => "部门",
            Self::Customer => "客户",
            Self::Contact => "联系人",
            Self::Asset => "资产",
            Self::Case => "单据",
            Self::File => "附件",
        }
    }
}

/// The type of a value.
#[derive(Clone, Debug, PartialEq)]
pub enum Ty {
    /// Only `null`.
    Null,
    /// Yes or no.
    Bool,
    /// A whole number.
    Int,
    /// Any number.
    Number,
    /// An amount of money.
    Money,
    /// Free text.
    Text,
    /// One of these texts.
    Choice(Arc<[String]>),
    /// A day.
    Date,
    /// A point in time.
    Time,
    /// A record.
    Ref(Kind),
    /// Many of one type.
    List(Arc<Ty>),
    /// A line with these columns.
    Row(Arc<[(String, Ty)]>),
}

impl Ty {
    /// A list of these.
    pub fn list(of: Ty) -> Self {
        Self::List(Arc::new(of))
    }

    /// People.
    pub fn people() -> Self {
        Self::list(Self::Ref(Kind::Person))
    }

    /// In Chinese.
    pub fn title(&self) -> String {
        match self {
            Self::Null => "空值".into(),
            Self::Bool => "是否".into(),
            Self::Int => "整数".into(),
            Self::Number => "数字".into(),
            Self::Money => "金额".into(),
            Self::Text => "文字".into(),
            Self::Choice(_) => "选项".into(),
            Self::Date => "日期".into(),
            Self::Time => "时间".into(),
            Self::Ref(kind) => kind.title().into(),
            Self::List(of) => format!("多个{}", of.title()),
            Self::Row(_) => "明细行".into(),
        }
    }

    /// Whether arithmetic may be done with it.
    pub fn is_numeric(&self) -> bool {
        matches!(self, Self::Int | Self::Number | Self::Money)
    }

    /// Whether other cases can be asked for the same: its values are kept where they are found quickly.
    pub fn is_compared(&self) -> bool {
        use Ty::*;
        matches!(self, Text | Choice(_) | Ref(_) | Bool | Date | Time | Int)
    }

    /// Whether it is text of some kind.
    pub fn is_text(&self) -> bool {
        matches!(self, Self::Text | Self::Choice(_))
    }

    /// Reads what `Value::to_json` wrote, as it was: texts with their blanks, choices though they are offered no more.
    /// What does not fit the type any more is nothing.
    pub fn stored(&self, json: &Json) -> Value {
        match (self, json) {
            (Self::Text | Self::Choice(_) | Self::Ref(_), Json::String(text)) => Value::text(text),
            (Self::List(of), Json::Array(items)) => Value::list(items.iter().map(|item| of.stored(item))),
            (Self::Row(columns), Json::Object(object)) => {
                let known = columns
                    .iter()
                    .filter_map(|(name, ty)| Some((name.clone(), ty.stored(object.get(name)?))));
                Value::Row(Arc::new(known.collect()))
            }
            _ => self.read(json, &|_| None).unwrap_or_default(),
        }
    }

    /// Reads what `Value::to_json` wrote, and what faces send: local times such as `2026-09-28 16:20` too, read by
    /// `local`. Text that shows nothing is nothing. The error says in Chinese what is wanted.
    pub fn read(&self, json: &Json, local: &dyn Fn(&str) -> Option<Millis>) -> Result<Value, String> {
        if json.is_null() || json.as_str().is_some_and(|text| visible(text).is_empty()) {
            return Ok(Value::Null);
        }
        let wanted = |what: &str| Err(format!("请填写{what}"));
        Ok(match self {
            Self::Null => Value::Null,
            Self::Bool => match json {
                Json::Bool(value) => Value::Bool(*value),
                Json::String(text) => match text.trim() {
                    "true" | "on" | "1" | "是" => Value::Bool(true),
                    "false" | "off" | "0" | "否" => Value::Bool(false),
                    _ => return wanted("“是”或“否”"),
                },
                _ => return wanted("“是”或“否”"),
            },
            Self::Int => match number(json).filter(|n| n.fract() == 0.0 && n.abs() <= 9.0e15) {
                Some(value) => Value::Int(value as i64),
                None => return wanted("整数"),
            },
            Self::Number => match number(json) {
                Some(value) => Value::Number(value),
                None => return wanted("数字"),
            },
            Self::Money => match json {
                Json::Number(cents) => match cents.as_i64() {
                    Some(cents) => Value::Money(cents),
                    None => return wanted("金额（整数，单位为分）"),
                },
                Json::String(text) => match cents(text) {
                    Some(cents) => Value::Money(cents),
                    None => return wanted("金额，例如 128.50"),
                },
                _ => return wanted("金额"),
            },
            Self::Text | Self::Ref(_) => match json {
                Json::String(text) if text.chars().any(is_unwanted) => {
                    return Err("含有不能识别的控制字符，请删除后重新填写".into());
                }
                Json::String(text) => Value::text(visible(text)),
                Json::Number(number) => Value::text(number.to_string()),
                _ => return wanted("文字"),
            },
            Self::Choice(options) => match json.as_str().map(str::trim) {
                Some(text) if options.iter().any(|option| option == text) => Value::text(text),
                _ => return Err(format!("请选择：{}", options.join("、"))),
            },
            Self::Date => match json.as_str().and_then(|text| text.trim().parse::<Date>().ok()) {
                Some(date) => Value::Date(date),
                None => return wanted("日期，例如 2026-09-28"),
            },
            Self::Time => match json {
                Json::Number(at) if at.as_i64().is_some() => Value::Time(at.as_i64().unwrap_or_default()),
                Json::String(text) => match local(text.trim()) {
                    Some(at) => Value::Time(at),
                    None => return wanted("时间，例如 2026-09-28 16:20"),
                },
                _ => return wanted("时间"),
            },
            Self::List(of) => match json {
                Json::Array(items) => {
                    let items: Result<Vec<_>, _> = items.iter().map(|item| of.read(item, local)).collect();
                    Value::list(items?.into_iter().filter(Value::is_known))
                }
                single => Value::list([of.read(single, local)?]),
            },
            Self::Row(columns) => {
                let Json::Object(object) = json else { return wanted("明细") };
                let mut row = BTreeMap::new();
                for (name, ty) in columns.iter() {
                    if let Some(value) = object.get(name) {
                        row.insert(name.clone(), ty.read(value, local)?);
                    }
                }
                Value::Row(Arc::new(row))
            }
        })
    }
}

fn number(json: &Json) -> Option<f64> {
    let value = match json {
        Json::Number(number) => number.as_f64(),
        Json::String(text) => hanzi::fold::width(text.trim()).parse().ok(),
        _ => None,
    };
    value.filter(|value: &f64| value.is_finite())
}

/// Yuan as people write them, in cents: `1,280.5` and `１２８０.５ 元` are 128050. At most two decimals.
pub fn cents(text: &str) -> Option<i64> {
    let text = hanzi::fold::width(text.trim()).replace([',', '，', '¥', '￥'], "");
    let text = text.strip_suffix('元').unwrap_or(&text).trim();
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let (yuan, decimals) = digits.split_once('.').unwrap_or((digits, ""));
    if yuan.is_empty() || yuan.len() > 13 || decimals.len() > 2 {
        return None;
    }
    if !(yuan.bytes().chain(decimals.bytes())).all(|b| b.is_ascii_digit()) {
        return None;
    }
    let decimals: i64 = format!("{decimals:0<2}").parse().ok()?;
    Some(sign * (yuan.parse::<i64>().ok()? * 100 + decimals))
}

/// To a whole number, halves away from zero (四舍五入). 1.005 × 100 is a little less than 100.5 in binary; people mean what
/// they wrote.
pub(crate) fn rounded(number: f64) -> f64 {
    (number + number * 4.0 * f64::EPSILON).round()
}

/// Cents as yuan: `1280.50`.
pub fn yuan(cents: i64) -> String {
    let sign = if cents < 0 { "-" } else { "" };
    format!("{sign}{}.{:02}", cents.unsigned_abs() / 100, cents.unsigned_abs() % 100)
}

/// Control characters and the marks that turn the direction of text: never part of what people write.
fn is_unwanted(c: char) -> bool {
    (c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn none(_: &str) -> Option<Millis> {
        None
    }

    #[test]
    fn money_is_read_as_people_write_it() {
        assert_eq!(cents("1,280.5"), Some(128_050));
        assert_eq!(cents("-0.05"), Some(-5));
        assert_eq!(cents("￥3"), Some(300));
        for wrong in ["", ".", "1.234", "1e3", "12345678901234", "--1", "九"] {
            assert_eq!(cents(wrong), None, "{wrong}");
        }
        assert_eq!(yuan(-5), "-0.05");
        assert_eq!(yuan(i64::MIN), "-92233720368547758.08");
    }

    #[test]
    fn what_is_written_is_read_again() {
        let columns: Arc<[(String, Ty)]> =
            Arc::from([("price".to_owned(), Ty::Money), ("n".to_owned(), Ty::Int)]);
        let rows = Ty::list(Ty::Row(columns));
        let value = rows.read(&json!([{"price": "12.30", "n": 2, "unknown": 1}]), &none).unwrap();
        assert_eq!(value.to_json(), json!([{"price": 1230, "n": 2}]));
        assert_eq!(rows.read(&value.to_json(), &none).unwrap(), value);
        let turned = json!("\u{202e}文本");
        assert!(Ty::Text.read(&turned, &none).is_err(), "marks that turn text are refused");
        assert_eq!(Ty::Text.stored(&turned), Value::text("\u{202e}文本"), "what is stored is read as it is");
        assert_eq!(Ty::Int.read(&json!(" "), &none), Ok(Value::Null));
        assert_eq!(Ty::Int.read(&json!(1.5), &none), Err("请填写整数".into()));
        assert_eq!(Ty::Text.read(&json!("\u{200b}\u{2800}"), &none), Ok(Value::Null), "nothing to see");
        assert_eq!(Ty::Text.read(&json!("会\u{200b}议 "), &none), Ok(Value::text("会议")));
        assert_eq!(Ty::Int.read(&json!("１２"), &none), Ok(Value::Int(12)));
        for yuan in ["１，２８０．５", "1280.50元", "¥1280.5 元"] {
            assert_eq!(Ty::Money.read(&json!(yuan), &none), Ok(Value::Money(128_050)), "{yuan}");
        }
    }
}
