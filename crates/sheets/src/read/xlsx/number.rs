//! Numbers of a sheet as a person would have typed them, and the number formats that make some of them dates.

/// What a cell's number format says about the text to give for a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    Plain,
    /// Digits with leading zeros, such as `000000` for post codes.
    Zeros(usize),
    Date,
    /// Only hours, minutes and seconds.
    Time,
    /// Hours that go on counting past 24, such as `[h]:mm`.
    Elapsed,
}

/// The formats every file has without defining them, the East Asian ones included.
pub fn builtin(id: u32) -> Style {
    match id {
        14..=17 | 22 | 27..=31 | 36 | 50..=54 | 57 | 58 => Style::Date,
        18..=21 | 32..=35 | 45 | 47 | 55 | 56 => Style::Time,
        46 => Style::Elapsed,
        _ => Style::Plain,
    }
}

/// Reads a format such as `yyyy"年"m"月"d"日"` or `[$-804]h:mm`.
pub fn parse_format(code: &str) -> Style {
    let mut letters = String::new();
    let mut chars = code.chars();
    while let Some(c) = chars.next() {
        match c {
            ';' => break,
            '"' => {
                chars.by_ref().find(|&c| c == '"');
            }
            '\\' | '_' | '*' => {
                chars.next();
            }
            '[' => {
                let inside: String = chars.by_ref().take_while(|&c| c != ']').collect();
                let inside = inside.to_ascii_lowercase();
                if !inside.is_empty() && inside.chars().all(|c| matches!(c, 'h' | 'm' | 's')) {
                    return Style::Elapsed;
                }
            }
            _ => letters.push(c.to_ascii_lowercase()),
        }
    }
    let letters = letters.trim();
    if letters.len() >= 2 && letters.chars().all(|c| c == '0') {
        return Style::Zeros(letters.len());
    }
    if letters == "general" || letters == "@" || letters.contains("通用") {
        return Style::Plain;
    }
    if letters.contains(['y', 'd']) {
        return Style::Date;
    }
    let has_clock = letters.contains(['h', 's']);
    match (has_clock, letters.contains('m')) {
        (true, _) => Style::Time,
        (false, true) => Style::Date,
        (false, false) => Style::Plain,
    }
}

/// A number's text, and whether digits were lost when it was stored.
pub fn to_text(raw: &str, style: Style, is_1904: bool) -> Option<(String, bool)> {
    let value: f64 = raw.trim().parse().ok().filter(|value: &f64| value.is_finite())?;
    let text = match style {
        Style::Date => date(value, is_1904, false),
        Style::Time => date(value, is_1904, true),
        Style::Elapsed => elapsed(value),
        Style::Zeros(width) if value >= 0.0 && value.fract() == 0.0 && value < 1e15 => {
            Some(format!("{value:0width$}"))
        }
        _ => None,
    };
    if let Some(text) = text {
        return Some((text, false));
    }
    Some((plain(value), value.abs() >= 1e15))
}

/// Fifteen significant digits, which is what Excel shows and stores, without an exponent where a person wrote none.
fn plain(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    if value.abs() >= 1e21 || value.abs() < 1e-9 {
        return format!("{value:e}");
    }
    if value.abs() >= 1e15 {
        return whole(value);
    }
    let rounded: f64 = format!("{value:.14e}").parse().unwrap_or(value);
    format!("{rounded}")
}

/// A large number with zeros behind its fifteen digits, as Excel shows it.
fn whole(value: f64) -> String {
    let text = format!("{value:.14e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let length = exponent.parse::<usize>().unwrap_or(0) + 1 + usize::from(value < 0.0);
    let digits: String = digits.chars().filter(|&c| c != '.').collect();
    format!("{digits:0<length$}")
}

const SECONDS_A_DAY: i64 = 86_400;
/// 9999-12-31.
const MAX_SERIAL: f64 = 2_958_466.0;

fn date(serial: f64, is_1904: bool, is_time: bool) -> Option<String> {
    if !(0.0..MAX_SERIAL).contains(&serial) {
        return None;
    }
    // Clocks are stored as fractions; rounding to whole seconds first keeps 23:59:59.9999 from losing a day.
    let seconds = (serial * SECONDS_A_DAY as f64).round() as i64;
    let (days, clock) = (seconds.div_euclid(SECONDS_A_DAY), seconds.rem_euclid(SECONDS_A_DAY));
    let clock_text = format!("{:02}:{:02}:{:02}", clock / 3600, clock / 60 % 60, clock % 60);
    if days == 0 && (is_time || clock != 0) {
        return Some(clock_text);
    }
    // Days from 1970-01-01. Excel's 1900 has a 29 February that never was, as serial 60; serials before it count
    // from one day later.
    let from_1970 = if is_1904 {
        days - 24_107
    } else if days == 60 {
        return Some("1900-02-29".to_owned());
    } else if days < 60 {
        days - 25_568
    } else {
        days - 25_569
    };
    let (year, month, day) = civil(from_1970);
    let date = format!("{year:04}-{month:02}-{day:02}");
    Some(if clock == 0 { date } else { format!("{date} {clock_text}") })
}

fn elapsed(serial: f64) -> Option<String> {
    if !(0.0..MAX_SERIAL).contains(&serial) {
        return None;
    }
    let seconds = (serial * SECONDS_A_DAY as f64).round() as i64;
    Some(format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60))
}

/// Year, month and day of a day counted from 1970-01-01 (proleptic Gregorian; Howard Hinnant's `civil_from_days`).
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_index = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_index + 2) / 5 + 1;
    let month = if month_index < 10 { month_index + 3 } else { month_index - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(raw: &str, style: Style) -> String {
        to_text(raw, style, false).unwrap().0
    }

    #[test]
    fn formats_that_are_dates() {
        for code in
            ["yyyy-mm-dd", "yyyy\"年\"m\"月\"d\"日\"", "[$-804]yyyy/m/d;@", "m/d", "mmm", "yyyy-mm-dd hh:mm"]
        {
            assert_eq!(parse_format(code), Style::Date, "{code}");
        }
        for code in ["h:mm", "[$-F400]h:mm:ss AM/PM", "上午/下午h\"时\"mm\"分\""] {
            assert_eq!(parse_format(code), Style::Time, "{code}");
        }
        for code in
            ["General", "0.00", "#,##0.00_);[Red](#,##0.00)", "0.00E+00", "@", "\"day\"0", "0;[Red]0", "0%"]
        {
            assert_eq!(parse_format(code), Style::Plain, "{code}");
        }
        assert_eq!(parse_format("[h]:mm"), Style::Elapsed);
        assert_eq!(parse_format("000000"), Style::Zeros(6));
    }

    #[test]
    fn days_around_the_leap_day_that_never_was() {
        assert_eq!(text("1", Style::Date), "1900-01-01");
        assert_eq!(text("59", Style::Date), "1900-02-28");
        assert_eq!(text("60", Style::Date), "1900-02-29");
        assert_eq!(text("61", Style::Date), "1900-03-01");
        assert_eq!(text("45351", Style::Date), "2024-02-29");
        assert_eq!(text("45351.5", Style::Date), "2024-02-29 12:00:00");
        assert_eq!(text("45351.999999999", Style::Date), "2024-03-01");
        assert_eq!(text("2958465", Style::Date), "9999-12-31");
        assert_eq!(text("0.75", Style::Time), "18:00:00");
        assert_eq!(text("1.5", Style::Elapsed), "36:00:00");
        assert_eq!(to_text("0", Style::Date, true).unwrap().0, "1904-01-01");
        assert_eq!(to_text("43889", Style::Date, true).unwrap().0, "2024-02-29");
        assert_eq!(text("-1", Style::Date), "-1");
    }

    #[test]
    fn numbers_as_typed() {
        assert_eq!(text("13812345678", Style::Plain), "13812345678");
        assert_eq!(text("1.3812345678E10", Style::Plain), "13812345678");
        assert_eq!(text("5.0", Style::Plain), "5");
        assert_eq!(text("0.30000000000000004", Style::Plain), "0.3");
        assert_eq!(text("-12.5", Style::Plain), "-12.5");
        assert_eq!(text("512", Style::Zeros(6)), "000512");
        assert_eq!(
            to_text("1.1010119900307101E+17", Style::Plain, false),
            Some(("110101199003071000".into(), true))
        );
        assert!(to_text("NaN", Style::Plain, false).is_none());
        assert!(to_text("abc", Style::Plain, false).is_none());
    }
}
