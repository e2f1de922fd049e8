//! Checks of what people type into forms: numbers are trimmed, folded to half width and returned in one spelling, or
//! refused with a sentence that says what is wrong and what to do.

use crate::fold;

/// Why a value was refused, in both languages of the interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub zh: String,
    pub en: String,
}

impl Problem {
    fn new(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self { zh: zh.into(), en: en.into() }
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.zh)
    }
}

impl std::error::Error for Problem {}

pub type Checked = Result<String, Problem>;

/// A mobile number of mainland China: eleven digits, without +86, spaces and dashes.
pub fn mobile(text: &str) -> Checked {
    let folded = typed(text, 40)?;
    let number = national(&compact(&folded));
    if !number.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Problem::new(
            "手机号只能是数字，请去掉其他字符。",
            "A mobile number has digits only; remove the other characters.",
        ));
    }
    if number.len() != 11 {
        return Err(Problem::new(
            format!("手机号应为 11 位，现在是 {} 位，请核对是否漏填或多填。", number.len()),
            format!(
                "A mobile number has 11 digits, this has {}; check for missing or extra ones.",
                number.len()
            ),
        ));
    }
    if !is_mobile(&number) {
        return Err(Problem::new(
            "手机号应以 13 至 19 开头，请核对前两位。",
            "A mobile number begins with 13 to 19; check the first two digits.",
        ));
    }
    Ok(number)
}

/// A landline with area code, as `020-87654321` or `020-87654321转12`.
pub fn landline(text: &str) -> Checked {
    let folded = typed(text, 40)?;
    let (number, extension) = split_extension(&folded)?;
    let digits = national(&compact(&number));
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Problem::new(
            "电话号码只能有数字、空格、横线和“转”，请去掉其他字符。",
            "A phone number has digits, spaces, dashes and an extension only; remove the other characters.",
        ));
    }
    if !digits.starts_with('0') {
        return Err(Problem::new(
            "固定电话请带上区号，例如 020-87654321。",
            "Give the landline with its area code, for example 020-87654321.",
        ));
    }
    let area = match digits.get(..3) {
        Some("010" | "020" | "021" | "022" | "023" | "024" | "025" | "027" | "028" | "029") => 3,
        _ => 4,
    };
    let is_area = area == 3 || digits.as_bytes().get(1).is_some_and(|b| (b'3'..=b'9').contains(b));
    let (Some(area), Some(local)) = (digits.get(..area).filter(|_| is_area), digits.get(area..)) else {
        return Err(Problem::new(
            "区号不对，应为 3 至 4 位，例如 010、020、0755，请核对。",
            "The area code is wrong; it has three or four digits such as 010, 020 or 0755.",
        ));
    };
    // Three-digit areas have had eight digits everywhere for years.
    let (lens, said) = if area.len() == 3 { (8..=8, "8") } else { (7..=8, "7 至 8") };
    if !lens.contains(&local.len()) || local.starts_with(['0', '1']) {
        return Err(Problem::new(
            format!("区号 {area} 后应为 {said} 位号码，且不以 0 或 1 开头，请核对。"),
            format!("After {area} come {} digits that do not begin with 0 or 1.", said.replace('至', "to")),
        ));
    }
    Ok(with_extension(format!("{area}-{local}"), extension))
}

/// A mobile number, a landline, a 400, 800, 95 or 96 number, a short service number, or `+` and a number abroad. An
/// extension may follow.
pub fn phone(text: &str) -> Checked {
    let folded = typed(text, 40)?;
    let (number, extension) = split_extension(&folded)?;
    let compact = compact(&number);
    if let Some(abroad) = compact.strip_prefix('+').filter(|rest| !rest.starts_with("86")) {
        let is_number = abroad.bytes().all(|b| b.is_ascii_digit()) && !abroad.starts_with('0');
        return if is_number && (7..=15).contains(&abroad.len()) {
            Ok(with_extension(compact, extension))
        } else {
            Err(Problem::new(
                "国际号码应为“+国家代码”加号码，共 7 至 15 位数字，请核对。",
                "An international number is + and 7 to 15 digits beginning with the country code.",
            ))
        };
    }
    let digits = national(&compact);
    if is_mobile(&digits) || is_service(&digits) {
        return Ok(with_extension(digits, extension));
    }
    // A zero before a mobile number: from the days when it was dialled to another town, or to keep Excel from
    // taking the zero away. No area code is 013 to 019.
    if let Some(rest) = digits.strip_prefix('0').filter(|rest| is_mobile(rest)) {
        return Ok(with_extension(rest.to_owned(), extension));
    }
    let is_plainly_mobile = digits.len() >= 9 && digits.starts_with('1');
    if is_plainly_mobile { mobile(&number) } else { landline(text) }
}

/// An identity number of GB 11643: 18 characters with region, date of birth and check digit; X in capitals.
pub fn id_card(text: &str) -> Checked {
    let number = compact(&typed(text, 40)?).to_ascii_uppercase();
    let bytes = number.as_bytes();
    if bytes.len() == 15 && bytes.iter().all(u8::is_ascii_digit) {
        return Err(Problem::new(
            "这是 15 位旧身份证号，2013 年起已停用，请填写 18 位号码。",
            "This is an old 15-digit number, out of use since 2013; enter the 18-digit one.",
        ));
    }
    if bytes.len() != 18 {
        let len = number.chars().count();
        return Err(Problem::new(
            format!("身份证号应为 18 位，现在是 {len} 位，请核对是否漏填或多填。"),
            format!("An identity number has 18 characters, this has {len}; check for missing or extra ones."),
        ));
    }
    let (body, last) = bytes.split_at(17);
    if !body.iter().all(u8::is_ascii_digit) || !matches!(last, [b'0'..=b'9' | b'X']) {
        return Err(Problem::new(
            "身份证号前 17 位应为数字，末位为数字或 X，请核对。",
            "The first 17 characters are digits and the last a digit or X.",
        ));
    }
    if !ID_REGIONS.contains(&&number[..2]) {
        return Err(Problem::new(
            format!("身份证号前两位“{}”不是有效的省级代码，请核对。", &number[..2]),
            format!("The first two digits, {}, are no province code.", &number[..2]),
        ));
    }
    if !is_date(&number[6..14]) {
        return Err(Problem::new(
            format!("身份证号第 7 至 14 位“{}”不是有效的出生日期，请核对。", &number[6..14]),
            format!("Digits 7 to 14, {}, are no date of birth.", &number[6..14]),
        ));
    }
    if bytes[17] != id_check_digit(body) {
        return Err(Problem::new(
            "身份证号第 18 位校验码不对，请逐位核对；若与证件一致，请查看证件是否有误。",
            "The check digit (18th) does not fit; compare digit by digit with the card.",
        ));
    }
    Ok(number)
}

/// A unified social credit code of GB 32100: 18 capitals and digits without I, O, S, V, Z.
pub fn credit_code(text: &str) -> Checked {
    let code = compact(&typed(text, 40)?).to_ascii_uppercase();
    let len = code.chars().count();
    if len != 18 {
        let hint =
            if len == 15 { "（15 位是旧的工商注册号，请填写换发后的代码）" } else { "" };
        return Err(Problem::new(
            format!("统一社会信用代码应为 18 位，现在是 {len} 位{hint}，请核对营业执照。"),
            format!(
                "A unified social credit code has 18 characters, this has {len}; see the business licence."
            ),
        ));
    }
    if let Some(wrong) = code.chars().find(|&c| credit_value(c).is_none()) {
        return Err(Problem::new(
            format!(
                "统一社会信用代码里不会有“{wrong}”（不用 I、O、S、V、Z，常与 1、0、5、2 混淆），请核对。"
            ),
            format!("{wrong} cannot stand in a credit code (I, O, S, V, Z are not used; mind 1, 0, 5, 2)."),
        ));
    }
    if !code[2..8].bytes().all(|b| b.is_ascii_digit()) {
        return Err(Problem::new(
            "统一社会信用代码第 3 至 8 位是行政区划，应为数字，请核对。",
            "Characters 3 to 8 are the region and have to be digits.",
        ));
    }
    let values: Vec<usize> = code.chars().filter_map(credit_value).collect();
    let sum: usize = values.iter().zip(CREDIT_WEIGHTS).map(|(value, weight)| value * weight).sum();
    if values.last() != Some(&((31 - sum % 31) % 31)) {
        return Err(Problem::new(
            "统一社会信用代码末位校验码不对，请与营业执照逐位核对。",
            "The check character (18th) does not fit; compare with the business licence.",
        ));
    }
    Ok(code)
}

/// A number plate, as `粤A12345`: ordinary, new energy (eight characters), 学, 警, 挂, 港, 澳, 领, 使, armed forces and
/// emergency service. Dots, dashes and spaces go.
pub fn plate(text: &str) -> Checked {
    let folded = typed(text, 40)?;
    let plate: String = folded
        .chars()
        .filter(|c| !c.is_whitespace() && *c != '-' && *c != '.' && !fold::is_name_dot(*c))
        .map(|c| if fold::is_han(c) { fold::character(c) } else { c.to_ascii_uppercase() })
        .collect();
    let chars: Vec<char> = plate.chars().collect();
    if is_plate(&chars) {
        return Ok(plate);
    }
    let is_province = chars.first().is_some_and(|c| PROVINCES.contains(*c));
    Err(if !is_province {
        Problem::new(
            "车牌号应以省份简称开头，例如 粤A12345，请补全。",
            "A plate begins with the province's character, for example 粤A12345.",
        )
    } else if !chars.get(1).is_some_and(char::is_ascii_uppercase) {
        Problem::new(
            "车牌号第 2 位应为字母（发牌机关代号），例如 粤A12345，请核对。",
            "The second character is a letter, for example 粤A12345.",
        )
    } else if chars.iter().skip(2).any(|c| matches!(c, 'I' | 'O')) {
        Problem::new(
            "车牌号序号不用字母 I 和 O，请改为数字 1 或 0。",
            "The letters I and O are not used in the serial part; use 1 or 0.",
        )
    } else {
        Problem::new(
            "车牌号格式不对：普通车牌 7 位（粤A12345），新能源 8 位（粤AD12345），请核对。",
            "The plate has the wrong form: 7 characters (粤A12345), or 8 for new energy (粤AD12345).",
        )
    })
}

/// A vehicle identification number of GB 16735: 17 capitals and digits without I, O, Q. The check digit is required of
/// vehicles made in China and North America (first character L, 1 to 5, 7); other makers need not have one.
pub fn vin(text: &str) -> Checked {
    let vin = compact(&typed(text, 40)?).to_ascii_uppercase();
    let len = vin.chars().count();
    if len != 17 {
        return Err(Problem::new(
            format!("车架号（VIN）应为 17 位，现在是 {len} 位，请核对行驶证。"),
            format!("A VIN has 17 characters, this has {len}; see the vehicle licence."),
        ));
    }
    if let Some(wrong) = vin.chars().find(|&c| vin_value(c).is_none()) {
        return Err(Problem::new(
            format!("车架号（VIN）里不会有“{wrong}”（不用 I、O、Q，常与 1、0 混淆），请核对。"),
            format!("{wrong} cannot stand in a VIN (I, O, Q are not used; mind 1 and 0)."),
        ));
    }
    let sum: u32 =
        vin.chars().filter_map(vin_value).zip(VIN_WEIGHTS).map(|(value, weight)| value * weight).sum();
    let expected = char::from_digit(sum % 11, 10).unwrap_or('X');
    if vin.starts_with(['L', '1', '2', '3', '4', '5', '7']) && vin.chars().nth(8) != Some(expected) {
        return Err(Problem::new(
            format!("车架号（VIN）第 9 位校验位不对（按其余各位应为 {expected}），请与行驶证逐位核对。"),
            format!(
                "The check digit (9th) does not fit (the others ask for {expected}); compare with the licence."
            ),
        ));
    }
    Ok(vin)
}

/// A mail address; the domain in lower case.
pub fn email(text: &str) -> Checked {
    let folded = typed(text, 320)?.replace(['。', '．'], ".");
    let wrong = |zh: &str, en: &str| Err(Problem::new(zh, en));
    if folded.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return wrong("邮箱中不能有空格，请去掉。", "A mail address has no spaces; remove them.");
    }
    let Some((local, domain)) = folded.split_once('@').filter(|(_, domain)| !domain.contains('@')) else {
        return wrong(
            "邮箱应有且只有一个 @，例如 name@example.com。",
            "A mail address has exactly one @, for example name@example.com.",
        );
    };
    let is_local = (1..=64).contains(&local.len())
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..")
        && local.chars().all(|c| c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c));
    if !is_local {
        return wrong("邮箱 @ 前的部分不对，请核对。", "The part before the @ is wrong; check it.");
    }
    if !is_domain(domain) {
        return wrong(
            "邮箱 @ 后应为域名，例如 qq.com，请核对。",
            "After the @ comes a domain such as example.com; check it.",
        );
    }
    Ok(format!("{local}@{}", domain.to_lowercase()))
}

/// A web address with http or https; `https://` is put before one without. User names in it are refused.
pub fn url(text: &str) -> Checked {
    let folded = typed(text, 2_000)?;
    let wrong = |zh: &str, en: &str| Err(Problem::new(zh, en));
    if folded.chars().any(|c| c.is_whitespace() || c.is_control() || "\"<>\\^`{|}".contains(c)) {
        return wrong(
            "网址中不能有空格和引号等字符，请去掉。",
            "A web address has no spaces or quotes; remove them.",
        );
    }
    let (scheme, rest) = match folded.split_once("://") {
        Some((scheme, rest)) => (scheme.to_ascii_lowercase(), rest),
        None => ("https".to_owned(), folded.as_str()),
    };
    if scheme != "http" && scheme != "https" {
        return wrong(
            "网址应以 http:// 或 https:// 开头。",
            "A web address begins with http:// or https://.",
        );
    }
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let (host, port) = authority.split_once(':').unwrap_or((authority, "80"));
    let is_address = host.parse::<std::net::Ipv4Addr>().is_ok();
    if !(is_domain(host) || is_address) || !port.parse::<u16>().is_ok_and(|port| port > 0) {
        return wrong(
            "网址的域名不对，例如 www.example.com，请核对。",
            "The host of the web address is wrong; for example www.example.com.",
        );
    }
    Ok(format!("{scheme}://{}{path}", authority.to_lowercase()))
}

/// A postcode of six digits.
pub fn postcode(text: &str) -> Checked {
    let code = compact(&typed(text, 40)?);
    let is_code =
        code.len() == 6 && code.bytes().all(|b| b.is_ascii_digit()) && ("010000".."900000").contains(&&*code);
    if is_code {
        return Ok(code);
    }
    Err(Problem::new(
        "邮政编码应为 6 位数字，例如 510000，请核对。",
        "A postcode has six digits, for example 510000.",
    ))
}

/// Trims and folds to half width; refuses what is empty or absurdly long before anything else looks at it.
fn typed(text: &str, limit: usize) -> Checked {
    // A copied cell may carry invisible marks: byte order mark, zero width space, direction marks.
    let is_invisible = |c: char| matches!(c, '\u{feff}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}');
    let len = text.chars().take(limit + 1).count();
    if len > limit {
        return Err(Problem::new(
            format!("内容过长，最多 {limit} 个字符，请核对。"),
            format!("Too long: at most {limit} characters."),
        ));
    }
    let folded: String = fold::width(text).chars().filter(|&c| !is_invisible(c)).collect();
    let folded = folded.trim();
    if folded.is_empty() {
        return Err(Problem::new("内容为空，请填写。", "This is empty; fill it in."));
    }
    Ok(folded.to_owned())
}

/// Without the signs people group digits with.
fn compact(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace() && !"-().–—－_".contains(*c)).collect()
}

fn national(compact: &str) -> String {
    let from_abroad = compact.strip_prefix("+86").or_else(|| compact.strip_prefix("0086"));
    // Without + or 00 only what cannot be anything else: area codes and mobile numbers behind 86 have 10 digits at least.
    let rest = from_abroad.or_else(|| compact.strip_prefix("86").filter(|rest| rest.len() >= 10));
    let Some(rest) = rest else { return compact.to_owned() };
    // From abroad the zero of an area code is left out: +86 10, +86 755.
    let is_area = rest.starts_with("10") || rest.starts_with(|c: char| ('2'..='9').contains(&c));
    let is_whole = (9..=11).contains(&rest.len()) && rest.bytes().all(|b| b.is_ascii_digit());
    if is_area && is_whole && !is_mobile(rest) && !is_service(rest) {
        format!("0{rest}")
    } else {
        rest.to_owned()
    }
}

fn is_mobile(digits: &str) -> bool {
    let bytes = digits.as_bytes();
    matches!(bytes, [b'1', b'3'..=b'9', ..]) && bytes.len() == 11 && bytes.iter().all(u8::is_ascii_digit)
}

/// 400 and 800 numbers, 95 and 96 numbers, 110, 12345, 10086 and the like.
fn is_service(digits: &str) -> bool {
    let is_digits = digits.bytes().all(|b| b.is_ascii_digit());
    let fits = |prefix: &str, lens: std::ops::RangeInclusive<usize>| {
        digits.starts_with(prefix) && lens.contains(&digits.len())
    };
    is_digits
        && (fits("400", 10..=10)
            || fits("800", 10..=10)
            || fits("95", 5..=8)
            || fits("96", 5..=6)
            || fits("10", 5..=5)
            || fits("11", 3..=5)
            || fits("12", 3..=5))
}

/// Cuts off what follows 转, ext or #, and a third group of digits after a second dash.
fn split_extension(folded: &str) -> Result<(String, Option<String>), Problem> {
    let lower = folded.to_lowercase();
    let mark = ["转", "轉", "ext.", "ext", "x", "#", ","].iter().find_map(|mark| lower.split_once(mark));
    let (number, extension) = match mark {
        Some((number, extension)) => (number, extension),
        None => match lower.rsplit_once('-') {
            // 020-87654321-12, but not 138-1234-5678 and 400-800-1234.
            Some((number, tail)) if number.starts_with('0') && number.len() >= 11 && number.contains('-') => {
                (number, tail)
            }
            _ => return Ok((lower, None)),
        },
    };
    let extension = compact(extension);
    if extension.is_empty() || extension.len() > 8 || !extension.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Problem::new(
            "分机号应为 1 至 8 位数字，例如 020-87654321转12，请核对。",
            "An extension has 1 to 8 digits, for example 020-87654321转12.",
        ));
    }
    Ok((number.to_owned(), Some(extension)))
}

fn with_extension(number: String, extension: Option<String>) -> String {
    match extension {
        Some(extension) => format!("{number}转{extension}"),
        None => number,
    }
}

const ID_REGIONS: [&str; 35] = [
    "11", "12", "13", "14", "15", "21", "22", "23", "31", "32", "33", "34", "35", "36", "37", "41", "42",
    "43", "44", "45", "46", "50", "51", "52", "53", "54", "61", "62", "63", "64", "65", "71", "81", "82",
    "83",
];

/// ISO 7064 MOD 11-2.
fn id_check_digit(body: &[u8]) -> u8 {
    let sum = body.iter().fold(0_u32, |sum, digit| (sum + u32::from(digit - b'0')) * 2 % 11);
    match (12 - sum) % 11 {
        10 => b'X',
        digit => b'0' + digit as u8,
    }
}

/// Eight digits that are a day from 1900 to 2099.
fn is_date(digits: &str) -> bool {
    let part = |range| digits.get(range).and_then(|part: &str| part.parse::<u32>().ok()).unwrap_or_default();
    let (year, month, day) = (part(0..4), part(4..6), part(6..8));
    let is_leap = year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400);
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + u32::from(is_leap),
        _ => 0,
    };
    (1900..=2099).contains(&year) && (1..=days).contains(&day)
}

const CREDIT_LETTERS: &str = "0123456789ABCDEFGHJKLMNPQRTUWXY";
const CREDIT_WEIGHTS: [usize; 17] = [1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28];

fn credit_value(c: char) -> Option<usize> {
    CREDIT_LETTERS.find(c)
}

const PROVINCES: &str = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼";

fn is_plate(chars: &[char]) -> bool {
    let is_province = |c: char| PROVINCES.contains(c);
    // O stands for the authority on old police plates only, I never.
    let is_office = |c: char| c.is_ascii_uppercase() && c != 'I';
    let is_serial = |c: &char| c.is_ascii_digit() || (c.is_ascii_uppercase() && !matches!(c, 'I' | 'O'));
    let is_digits = |part: &[char]| part.iter().all(char::is_ascii_digit);
    match chars {
        ['W', 'J', p, rest @ ..] if is_province(*p) => rest.len() == 5 && rest.iter().all(is_serial),
        ['使', rest @ ..] | [rest @ .., '使'] => rest.len() == 6 && is_digits(rest),
        [p, 'Z', rest @ .., '港' | '澳'] if is_province(*p) => {
            rest.len() == 4 && rest.iter().all(is_serial)
        }
        [p, o, rest @ .., '应', '急'] if is_province(*p) && is_office(*o) => {
            rest.len() == 4 && rest.iter().all(is_serial)
        }
        [p, o, rest @ .., '学' | '警' | '挂' | '领' | '超' | '试'] if is_province(*p) && is_office(*o) => {
            rest.len() == 4 && rest.iter().all(is_serial)
        }
        [p, o, rest @ ..] if is_province(*p) && is_office(*o) => match rest {
            // New energy: small cars have the letter in front (and maybe a second), big ones at the end.
            [kind, second, digits @ ..] if rest.len() == 6 && ('A'..='K').contains(kind) && *kind != 'I' => {
                is_serial(second) && is_digits(digits)
            }
            [digits @ .., kind] if rest.len() == 6 => {
                is_digits(digits) && ('A'..='K').contains(kind) && *kind != 'I'
            }
            _ => rest.len() == 5 && rest.iter().all(is_serial),
        },
        [a, b, digits @ ..] => {
            a.is_ascii_uppercase() && b.is_ascii_uppercase() && digits.len() == 5 && is_digits(digits)
        }
        _ => false,
    }
}

const VIN_WEIGHTS: [u32; 17] = [8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2];

fn vin_value(c: char) -> Option<u32> {
    match c {
        '0'..='9' => c.to_digit(10),
        'A'..='H' => Some(c as u32 - 'A' as u32 + 1),
        'J'..='N' | 'P' | 'R' => Some(c as u32 - 'J' as u32 + 1),
        'S'..='Z' => Some(c as u32 - 'S' as u32 + 2),
        _ => None,
    }
}

/// At least two labels of letters, digits and inner dashes; the last is no number.
fn is_domain(domain: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_alphanumeric() || c == '-')
    };
    let top = domain.rsplit('.').next().unwrap_or_default();
    domain.len() <= 253
        && domain.contains('.')
        && domain.split('.').all(is_label)
        && top.chars().count() >= 2
        && !top.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Check = fn(&str) -> Checked;

    fn all(check: Check, good: &[(&str, &str)], bad: &[(&str, &str)]) {
        for (text, normal) in good {
            assert_eq!(check(text).as_deref(), Ok(*normal), "{text}");
        }
        for (text, part) in bad {
            let problem = check(text).expect_err(text);
            assert!(problem.zh.contains(part), "{text}: {}", problem.zh);
        }
    }

    #[test]
    fn mobiles() {
        all(
            mobile,
            &[("13812345678", "13812345678"), (" +86 138-1234-5678 ", "13812345678")],
            &[
                ("1381234567", "10 位"),
                ("12812345678", "13 至 19"),
                ("1381234567a", "数字"),
                ("", "为空"),
                ("138转1", "数字"),
            ],
        );
        for text in
            ["8619912345678", "１９９１２３４５６７８", "\u{202d}19912345678\u{202c}", "0086 199 1234 5678"]
        {
            assert_eq!(mobile(text).as_deref(), Ok("19912345678"));
        }
    }

    #[test]
    fn a_zero_before_a_mobile_number_is_dropped() {
        for text in ["013812345678", "０１３８１２３４５６７８", "0 138-1234-5678", "(0)13812345678"]
        {
            assert_eq!(phone(text).as_deref(), Ok("13812345678"), "{text}");
        }
        assert_eq!(phone("013812345678转9").as_deref(), Ok("13812345678转9"));
        assert_eq!(phone("010-88886666").as_deref(), Ok("010-88886666"));
        assert_eq!(phone("+86 10 62781234").as_deref(), Ok("010-62781234"));
        assert_eq!(phone("+86 400 123 4567").as_deref(), phone("4001234567").as_deref());
        for text in ["0138123456789", "01381234567", "012812345678", "0013812345678"] {
            assert!(phone(text).is_err(), "{text}");
        }
    }

    #[test]
    fn phones() {
        all(
            landline,
            &[
                ("020-87654321", "020-87654321"),
                ("(020) 8765 4321", "020-87654321"),
                ("０７５５－８２３４５６７", "0755-8234567"),
                ("+86 20 87654321", "020-87654321"),
                ("+86 10 62781234", "010-62781234"),
                ("0086 10 62781234", "010-62781234"),
                ("+86 (10) 6278-1234", "010-62781234"),
                ("86-10-62781234", "010-62781234"),
                ("86-755-26541234", "0755-26541234"),
                ("020-87654321-12", "020-87654321转12"),
                ("020-87654321 转 12", "020-87654321转12"),
                ("02087654321 ext. 8001", "020-87654321转8001"),
            ],
            &[
                ("87654321", "区号"),
                ("0100-123", "应为 8 位"),
                ("0755-123", "7 至 8 位"),
                ("0207-654321", "应为 8 位"),
                ("0261-7654321", "区号不对"),
                ("020-17654321", "0 或 1"),
                ("020-87654321转abc", "分机号"),
            ],
        );
        all(
            phone,
            &[
                ("138 1234 5678", "13812345678"),
                ("13812345678转1234", "13812345678转1234"),
                ("020-87654321", "020-87654321"),
                ("400-800-1234", "4008001234"),
                ("800 830 1234", "8008301234"),
                ("95588", "95588"),
                ("12345", "12345"),
                ("110", "110"),
                ("+852 9123 4567", "+85291234567"),
            ],
            &[
                ("1381234567", "10 位"),
                ("87654321", "区号"),
                ("+1", "国际"),
                ("张三", "数字"),
                ("+8", "国际"),
            ],
        );
    }

    #[test]
    fn identity_numbers() {
        all(
            id_card,
            &[
                ("11010519491231002X", "11010519491231002X"),
                ("11010519491231002x", "11010519491231002X"),
                ("110105 19491231 002x", "11010519491231002X"),
            ],
            &[
                ("110105194912310021", "校验码"),
                ("110105194902300021", "出生日期"),
                ("110105190002290021", "出生日期"),
                ("990105194912310021", "省级代码"),
                ("110105491231002", "15 位"),
                ("1101051949123100", "16 位"),
                ("A1010519491231002X", "前 17 位"),
                ("身份证号身份证号身份", "10 位"),
                ("", "为空"),
            ],
        );
    }

    #[test]
    fn credit_codes() {
        all(
            credit_code,
            &[
                ("91350100M000100Y43", "91350100M000100Y43"),
                (" 9135 0100 m000 100y43", "91350100M000100Y43"),
                ("91440300708461136T", "91440300708461136T"),
                ("914403001922038216", "914403001922038216"),
            ],
            &[
                ("91350100M000100Y44", "校验码"),
                ("91350100MO00100Y43", "O"),
                ("913501", "6 位"),
                ("440301103097413", "15 位"),
                ("91A50100M000100Y43", "行政区划"),
            ],
        );
    }

    #[test]
    fn plates() {
        let good = [
            "粤A12345",
            "京AF0236",
            "粤AD12345",
            "粤ADA1234",
            "粤A12345F",
            "粤ZAB12港",
            "粤Z1234澳",
            "粤A1234学",
            "粤A1234警",
            "粤A1234挂",
            "京A0006领",
            "使014578",
            "224578使",
            "WJ京12345",
            "粤B1234应急",
            "VA12345",
            "京O12345",
        ];
        for text in good {
            assert_eq!(plate(text).as_deref(), Ok(text), "{text}");
        }
        for text in ["粤a·12345", " 粤Ａ－12345", "粵A 12345"] {
            assert_eq!(plate(text).as_deref(), Ok("粤A12345"), "{text}");
        }
        all(
            plate,
            &[],
            &[
                ("A12345", "省份简称"),
                ("粤112345", "第 2 位"),
                ("粤A1234O", "I 和 O"),
                ("粤A1234", "格式"),
                ("粤AZ12345", "格式"),
                ("粤A123456", "格式"),
                ("", "为空"),
            ],
        );
    }

    #[test]
    fn vins() {
        all(
            vin,
            &[("1m8gdm9axkp042788", "1M8GDM9AXKP042788"), ("11111111111111111", "11111111111111111")],
            &[
                ("1M8GDM9A1KP042788", "应为 X"),
                ("1M8GDM9AXKP04278", "16 位"),
                ("1M8GDM9AXKPO42788", "O"),
                ("", "为空"),
            ],
        );
        assert!(vin("WVWZZZ1JZ3W386752").is_ok(), "European makers need no check digit");
    }

    #[test]
    fn addresses_of_the_net_and_post() {
        all(
            email,
            &[
                (" Zhang.San@Example.COM ", "Zhang.San@example.com"),
                ("a@b.cn", "a@b.cn"),
                ("ａ＠ｂ．ｃｎ", "a@b.cn"),
                ("a+tag@qq.com", "a+tag@qq.com"),
                ("张三@公司.中国", "张三@公司.中国"),
            ],
            &[
                ("a", "一个 @"),
                ("a@b@c.cn", "一个 @"),
                ("a b@c.cn", "空格"),
                (".a@b.cn", "@ 前"),
                ("a@b", "域名"),
                ("a@-b.cn", "域名"),
                ("a@b..cn", "域名"),
                ("a@1.2", "域名"),
            ],
        );
        all(
            url,
            &[
                ("www.Example.com", "https://www.example.com"),
                ("HTTP://Example.com:8080/A?b=C#d", "http://example.com:8080/A?b=C#d"),
                ("192.168.1.1/x", "https://192.168.1.1/x"),
                ("https://公司.中国", "https://公司.中国"),
            ],
            &[
                ("javascript:alert(1)", "域名"),
                ("ftp://a.cn", "http://"),
                ("a b.cn", "空格"),
                ("https://user@a.cn", "域名"),
                ("https://a.cn:99999", "域名"),
                ("x", "域名"),
            ],
        );
        all(
            postcode,
            &[("510000", "510000"), ("０１００２０", "010020")],
            &[("51000", "6 位"), ("000000", "6 位"), ("51000a", "6 位")],
        );
    }

    fn checks() -> [Check; 10] {
        [mobile, landline, phone, id_card, credit_code, plate, vin, email, url, postcode]
    }

    proptest! {
        #[test]
        fn nothing_panics_and_normal_forms_are_stable(text in prop_oneof![any::<String>(), "[0-9A-Z粤京港学转+@./: -]{0,45}"]) {
            for check in checks() {
                match check(&text) {
                    Ok(normal) => prop_assert_eq!(check(&normal), Ok(normal.clone())),
                    Err(problem) => prop_assert!(!problem.zh.is_empty() && !problem.en.is_empty()),
                }
            }
        }

        #[test]
        fn one_wrong_digit_in_an_identity_number_is_seen(at in 0_usize..17, add in 1_u8..10) {
            let mut number = b"11010519491231002X".to_vec();
            number[at] = b'0' + (number[at] - b'0' + add) % 10;
            prop_assert!(id_card(std::str::from_utf8(&number).unwrap()).is_err());
        }

        #[test]
        fn one_wrong_character_in_a_credit_code_is_seen(at in 0_usize..18, to in 0_usize..31) {
            let mut code = b"91350100M000100Y43".to_vec();
            let to = CREDIT_LETTERS.as_bytes()[to];
            prop_assume!(code[at] != to);
            code[at] = to;
            prop_assert!(credit_code(std::str::from_utf8(&code).unwrap()).is_err());
        }
    }
}
