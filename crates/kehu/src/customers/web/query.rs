//! The address of a list as a `ListQuery`: the one reader for pages, exports, batches and the API.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use crate::catalogue::{Catalogue, CustomField};
use crate::clock::parse_date;
use crate::clock::{Millis, Zone};
use crate::customers::{Field, Kind, ListQuery, OFFERED_SORTS};
use crate::error::{AppError, FieldError};
use crate::expr::{Expr, Problem, Schema};
use crate::query::parse_sort;
use crate::text;
use crate::web::FormData;

/// Rows a page when the address does not say.
pub const DEFAULT_LIMIT: usize = 20;
/// Rows a page at the most.
const MOST_ROWS: usize = 200;
/// Longest search text, in characters.
const LONGEST_Q: usize = 100;
/// Values of one condition at the most.
const MOST_VALUES: usize = 50;

/// The dictionary fields a list can be narrowed by; several values of one (repeated, or with commas) mean any of them.
pub const CHOICE_FILTERS: [Field; 5] =
    [Field::Class, Field::Level, Field::Nature, Field::Industry, Field::Source];

/// Every name an address may carry, with its meaning for the OpenAPI document.
pub const PARAMETERS: [(&str, &str); 22] = [
    ("q", "Characters, pinyin, initials, digits"),
    ("kind", "person or organisation"),
    ("class", "Codes of customer_class, separated by commas: any of them"),
    ("level", "Codes of customer_level, separated by commas: any of them"),
    ("nature", "Codes of enterprise_nature, separated by commas: any of them"),
    ("industry", "Codes of industry, separated by commas: any of them"),
    ("source", "Codes of source, separated by commas: any of them"),
    ("region", "A province, city or district, by name or code; whatever lies in it"),
    ("owner", "Id of the person who owns it; none: without an owner"),
    ("mark", "SCHEME:VALUE, repeated or separated by commas: any of the values of each scheme"),
    ("tag", "One tag"),
    ("created_from", "From this day (YYYY-MM-DD) or time (RFC 3339)"),
    ("created_to", "To the end of this day, or before this time"),
    ("updated_from", "From this day (YYYY-MM-DD) or time (RFC 3339)"),
    ("updated_to", "To the end of this day, or before this time"),
    ("completeness", "complete or incomplete"),
    ("due_by", "To be contacted again by this day (YYYY-MM-DD)"),
    ("import", "Id of the import that made it"),
    ("filter", "CEL condition, for example class == \"key\""),
    ("sort", "Comma separated; a leading - sorts descending: -updated_at,name"),
    ("limit", "How many, 1 to 200"),
    ("after", "Cursor from next"),
];

/// Reads `PARAMETERS`. Empty values are no condition; a day as upper end
/// of a time includes that day; `owner=none` means without owner. Wrong values are errors at their own names.
pub fn list_query(query: &FormData, catalogue: &Catalogue, zone: &Zone) -> Result<ListQuery, AppError> {
    let mut errors = Vec::new();
    let mut read = ListQuery { q: search_text(query.get("q"), &mut errors), ..ListQuery::default() };
    if let Some(kind) = given(query, "kind") {
        read.kind = Kind::named(kind);
        if read.kind.is_none() {
            errors
                .push(FieldError::new("kind", text!("客户性质只能是 person（个人）或 organisation（企业）")));
        }
    }
    for field in CHOICE_FILTERS {
        read.choices.extend(choices(query, field, catalogue, &mut errors).map(|values| (field, values)));
    }
    read.marks = marks(query, catalogue, &mut errors);
    if let Some(region) = given(query, "region") {
        match crate::regions::resolve(region) {
            Ok(region) => read.region = region.path.to_owned(),
            Err(unknown) => errors.push(FieldError::new("region", unknown.text())),
        }
    }
    match given(query, "owner") {
        None => {}
        Some("none") => read.owner = Some(None),
        Some(id) => match id.parse() {
            Ok(id) => read.owner = Some(Some(id)),
            Err(_) => errors.push(FieldError::new("owner", text!("没有这位员工"))),
        },
    }
    if let Some(tag) = given(query, "tag") {
        if tag.chars().count() > 20 || tag.chars().any(char::is_control) {
            errors.push(FieldError::new("tag", text!("每个标签最多 20 个字")));
        } else {
            read.tag = tag.to_owned();
        }
    }
    read.created = times(query, zone, "created_from", "created_to", &mut errors);
    read.updated = times(query, zone, "updated_from", "updated_to", &mut errors);
    match given(query, "completeness") {
        None => {}
        Some("incomplete") => read.incomplete = Some(true),
        Some("complete") => read.incomplete = Some(false),
        Some(_) => {
            errors.push(FieldError::new("completeness", text!("档案完整度只能是 complete 或 incomplete")))
        }
    }
    if let Some(text) = given(query, "due_by") {
        match parse_date(text) {
            Some(date) => read.due_by = date,
            None => errors.push(FieldError::new("due_by", text!("请填写日期，例如 2026-09-28"))),
        }
    }
    if let Some(id) = given(query, "import") {
        match id.parse() {
            Ok(id) => read.import = Some(id),
            Err(_) => errors.push(FieldError::new("import", text!("没有这次导入"))),
        }
    }
    if let Some(source) = given(query, "filter") {
        match compiled(source, &catalogue.custom_fields, zone) {
            Ok(filter) => read.filter = Some(filter),
            Err(problem) => errors.push(FieldError::new("filter", problem.place())),
        }
    }
    match parse_sort(query.get("sort"), OFFERED_SORTS) {
        Ok(keys) => read.sort = keys,
        Err(AppError::Invalid(more)) => errors.extend(more),
        Err(other) => return Err(other),
    }
    match given(query, "limit").map(str::parse::<usize>) {
        None => read.limit = DEFAULT_LIMIT,
        Some(Ok(limit)) if (1..=MOST_ROWS).contains(&limit) => read.limit = limit,
        Some(_) => errors.push(FieldError::new("limit", text!("每页条数为 1–{}", MOST_ROWS))),
    }
    read.after = given(query, "after").map(str::to_owned);
    if errors.is_empty() { Ok(read) } else { Err(AppError::Invalid(errors)) }
}

/// A filter that was asked for before, and what its meaning depends on.
struct Compiled {
    source: String,
    fields: Vec<CustomField>,
    zone: Zone,
    filter: Expr,
}

/// Compiles a filter; those asked for lately are remembered, as a list asks with the same one page after page.
fn compiled(source: &str, fields: &[CustomField], zone: &Zone) -> Result<Expr, Problem> {
    const PLACES: usize = 64;
    static LATELY: Mutex<VecDeque<Compiled>> = Mutex::new(VecDeque::new());
    let mut lately = LATELY.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = lately.iter().find(|k| k.source == source && k.fields == fields && k.zone == *zone) {
        return Ok(known.filter.clone());
    }
    drop(lately);
    let filter = Expr::compile(source, &Schema::customers(fields).in_zone(zone.clone()))?;
    lately = LATELY.lock().unwrap_or_else(PoisonError::into_inner);
    lately.truncate(PLACES - 1);
    let (source, fields, zone) = (source.to_owned(), fields.to_vec(), zone.clone());
    lately.push_front(Compiled { source, fields, zone, filter: filter.clone() });
    Ok(filter)
}

/// The value of a name without blanks, `None` when there is none.
fn given<'q>(query: &'q FormData, name: &str) -> Option<&'q str> {
    Some(query.get(name).trim()).filter(|text| !text.is_empty())
}

fn search_text(text: &str, errors: &mut Vec<FieldError>) -> String {
    if text.chars().count() > LONGEST_Q || text.contains('\0') {
        errors.push(FieldError::new("q", text!("搜索内容最多 {} 个字", LONGEST_Q)));
        return String::new();
    }
    text.trim().to_owned()
}

/// The codes a person or program means; retired ones too, as there may be customers left who carry them.
fn choices(
    query: &FormData,
    field: Field,
    catalogue: &Catalogue,
    errors: &mut Vec<FieldError>,
) -> Option<Vec<String>> {
    let dictionary = catalogue.dictionary(field.spec().dictionary()?);
    let all = query.all(field.key());
    let mut codes: Vec<String> = Vec::new();
    for text in all.iter().flat_map(|v| v.split(',')).map(str::trim).filter(|v| !v.is_empty()) {
        match dictionary.entry(text).or_else(|| dictionary.find(text)) {
            Some(entry) if codes.len() < MOST_VALUES => codes.push(entry.code.clone()),
            _ => {
                let names = dictionary.choice_words();
                let message = text!("“{}”不在可选值中，请从以下选择：{}", shortened(text), names);
                errors.push(FieldError::new(field.key(), message));
                return None;
            }
        }
    }
    (!codes.is_empty()).then_some(codes)
}

/// Values of schemes by scheme, each written `scheme:value`.
fn marks(
    query: &FormData,
    catalogue: &Catalogue,
    errors: &mut Vec<FieldError>,
) -> Vec<(String, Vec<String>)> {
    let mut read: Vec<(String, Vec<String>)> = Vec::new();
    let all = query.all("mark");
    for text in
        all.iter().flat_map(|v| v.split(',')).map(str::trim).filter(|v| !v.is_empty()).take(MOST_VALUES)
    {
        let known = text.split_once(':').filter(|(scheme, value)| {
            let is_scheme = catalogue.customer_schemes().any(|name| name == scheme);
            is_scheme && catalogue.dictionary(scheme).entry(value).is_some()
        });
        let Some((scheme, value)) = known else {
            errors.push(FieldError::new("mark", text!("没有这个分类：{}", shortened(text))));
            continue;
        };
        match read.iter_mut().find(|(known, _)| known == scheme) {
            Some((_, values)) => values.push(value.to_owned()),
            None => read.push((scheme.to_owned(), vec![value.to_owned()])),
        }
    }
    read
}

/// What was typed, as an error repeats it.
fn shortened(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(30).collect()
}

fn times(
    query: &FormData,
    zone: &Zone,
    from: &str,
    to: &str,
    errors: &mut Vec<FieldError>,
) -> (Option<Millis>, Option<Millis>) {
    let mut read = |name: &str, is_end: bool| {
        let text = given(query, name)?;
        let at = point_in_time(text, zone, is_end);
        if at.is_none() {
            errors.push(FieldError::new(name, text!("请填写日期，例如 2026-09-28")));
        }
        at
    };
    (read(from, false), read(to, true))
}

/// A day in the company's zone (its end when `is_end`), a local time, or RFC 3339.
fn point_in_time(text: &str, zone: &Zone, is_end: bool) -> Option<Millis> {
    if let Ok(at) = text.parse::<jiff::Timestamp>() {
        return Some(at.as_millisecond());
    }
    if text.len() > 10 && text.contains([':', 'T']) {
        return zone.parse(text);
    }
    let (start, end) = zone.day(parse_date(text)?.parse().ok()?);
    Some(if is_end { end } else { start })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<ListQuery, AppError> {
        let query = FormData::parse(text.as_bytes()).unwrap();
        list_query(&query, &Catalogue::default(), &Zone::default())
    }

    #[test]
    fn every_name_that_is_read_is_told() {
        let mut read: std::collections::BTreeSet<&str> = CHOICE_FILTERS.iter().map(|f| f.key()).collect();
        let source = include_str!("query.rs").split("#[cfg(test)]").next().unwrap();
        for opening in ["given(query, \"", "query.get(\"", "query.all(\""] {
            read.extend(source.split(opening).skip(1).filter_map(|rest| rest.split('"').next()));
        }
        for call in source.split("times(query, zone, ").skip(1) {
            read.extend(call.split(',').take(2).map(|name| name.trim().trim_matches('"')));
        }
        assert_eq!(read, PARAMETERS.iter().map(|(name, _)| *name).collect());
    }

    #[test]
    fn a_day_as_upper_end_includes_that_day() {
        let one = read("created_from=2026-09-28&created_to=2026-09-28").unwrap();
        let (Some(from), Some(to)) = one.created else { panic!("both ends") };
        assert_eq!(to - from, 24 * 3_600_000);
        let exact = read("updated_from=2026-09-28T08:20:00Z").unwrap();
        assert_eq!(exact.updated.0, Zone::default().parse("2026-09-28 16:20"));
    }

    #[test]
    fn every_wrong_value_is_named_and_empty_ones_are_no_condition() {
        let empty = read("q=&kind=&class=&region=&owner=&limit=&sort=&after=").unwrap();
        assert_eq!(empty.limit, DEFAULT_LIMIT);
        assert!(empty.choices.is_empty() && empty.after.is_none() && empty.owner.is_none());
        let Err(AppError::Invalid(errors)) = read(
            "kind=robot&class=none-such&owner=x&created_from=soon&completeness=50&due_by=now&sort=secret&limit=201",
        ) else {
            panic!("refused")
        };
        let mut fields: Vec<&str> = errors.iter().map(|e| e.field.as_str()).collect();
        fields.sort_unstable();
        assert_eq!(
            fields,
            ["class", "completeness", "created_from", "due_by", "kind", "limit", "owner", "sort"]
        );
    }
}
