//! Keys under which the same person, company, number or car written differently is found as a duplicate. Keys are for
//! comparing, not for showing. An empty key means that nothing can be compared.

use std::borrow::Cow;

use crate::fold;

/// A text as it is kept: without spaces at its ends and without what nobody can see. Zero-width spaces, soft hyphens,
/// fillers and marks of direction go wherever they stand. Joiners and variation selectors stay inside a text that
/// shows something: Persian and Indian names, emoji and variants of Han characters (葛󠄀) are written with them. A text
/// of nothing visible is empty.
pub fn visible(text: &str) -> Cow<'_, str> {
    let text = text.trim();
    if !text.chars().any(is_invisible) {
        return Cow::Borrowed(text);
    }
    if text.chars().all(|c| is_invisible(c) || c.is_whitespace()) {
        return Cow::Borrowed("");
    }
    let kept: String = text.chars().filter(|c| !is_invisible(*c) || may_shape(*c)).collect();
    let kept = kept.trim_start_matches(|c: char| c.is_whitespace() || may_shape(c));
    let kept = kept.trim_end_matches(|c: char| c.is_whitespace() || matches!(c, '\u{200c}' | '\u{200d}'));
    Cow::Owned(kept.to_owned())
}

/// Whether a character shows nothing by itself: Default_Ignorable_Code_Point of Unicode, the blank of Braille, and the
/// marks between lines.
pub fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}'
        | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Whether an invisible character changes how its neighbours look.
fn may_shape(c: char) -> bool {
    matches!(c,
        '\u{200c}' | '\u{200d}' | '\u{180b}'..='\u{180d}' | '\u{180f}' | '\u{fe00}'..='\u{fe0f}'
        | '\u{e0020}'..='\u{e007f}' | '\u{e0100}'..='\u{e01ef}')
}

/// Digits only, without +86 or 0086. An extension is cut off: it is another desk, not another customer.
pub fn phone_key(phone: &str) -> String {
    let folded = fold::width(phone);
    let number =
        folded.split(['转', '轉', '#', 'x', 'X', ',', ';', ',', '、', '/']).next().unwrap_or_default();
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    let is_international = number.trim_start().starts_with('+');
    let national = match digits.strip_prefix("0086") {
        Some(rest) => rest,
        // Without a plus, 86 is a country code only before a mobile number: there are local numbers beginning with 86.
        None => digits
            .strip_prefix("86")
            .filter(|rest| is_international || (rest.len() == 11 && rest.starts_with('1')))
            .unwrap_or(&digits),
    };
    // A zero dialled before a mobile number is no part of it.
    let national = match national.as_bytes() {
        [b'0', b'1', b'3'..=b'9', ..] if national.len() == 12 => &national[1..],
        _ => national,
    };
    // 020… abroad is written +86 20…: the zero comes back, mobile numbers and 400 have none.
    let lacks_zero = national.len() < digits.len() && !national.starts_with(['0', '1', '4', '8']);
    if lacks_zero { format!("0{national}") } else { national.to_owned() }
}

/// Width, case and script folded; spaces, dots and punctuation dropped.
pub fn name_key(name: &str) -> String {
    name.chars().map(fold::character).filter(|&c| c.is_alphanumeric() || fold::is_han(c)).collect()
}

/// [`name_key`] without what says only that it is a company: 广州天江科技有限公司 and 天江科技（广州）股份有限公司 differ in
/// the order of words but not in 有限公司. 分公司 stays, a branch is another customer. At least two characters are left.
pub fn company_key(company: &str) -> String {
    let whole = name_key(company);
    let mut key = whole.clone();
    for part in FORMS {
        let shorter = key.replace(part, "");
        if shorter.chars().count() >= 2 && !FORM_ENDINGS.contains(&shorter.as_str()) {
            key = shorter;
        }
    }
    while let Some(shorter) = FORM_ENDINGS.iter().find_map(|ending| key.strip_suffix(ending)) {
        if shorter.chars().count() < 2 || (shorter.ends_with('分') && key.ends_with("公司")) {
            break;
        }
        key = shorter.to_owned();
    }
    key
}

/// Longer forms first, so that nothing of them is left.
const FORMS: [&str; 6] = ["股份有限责任公司", "股份有限公司", "有限责任公司", "有限公司", "股份公司", "集团"];
const FORM_ENDINGS: [&str; 10] =
    ["总公司", "公司", "股份", "coltd", "ltd", "limited", "inc", "corporation", "corp", "llc"];

/// Letters, digits and the province in capitals: 粤a·12345 is 粤A12345.
pub fn plate_key(plate: &str) -> String {
    let folded = plate.chars().map(fold::character).filter(|&c| c.is_alphanumeric() || fold::is_han(c));
    folded.map(|c| c.to_ascii_uppercase()).collect()
}

/// Lower case, half width, without spaces and without a `+tag`.
pub fn mail_key(email: &str) -> String {
    let folded: String = email.chars().map(fold::character).filter(|c| !c.is_whitespace()).collect();
    match folded.rsplit_once('@') {
        Some((local, domain)) => {
            let mailbox = local.split('+').next().filter(|mailbox| !mailbox.is_empty()).unwrap_or(local);
            format!("{mailbox}@{domain}")
        }
        None => folded,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_what_can_be_seen_is_kept() {
        for (text, kept) in [
            ("张三", "张三"),
            (" 张 三 ", "张 三"),
            ("\u{200b}张\u{200b}三\u{feff}", "张三"),
            ("\u{200d}张三\u{200d} ", "张三"),
            ("可\u{ad}见\u{2060}", "可见"),
            ("\u{200b}", ""),
            (" \u{3164}\u{2800}\u{fe0f}\u{200d}\u{3000}", ""),
            ("\u{e0041}\u{e007f}", ""),
            ("葛\u{e0100}城市", "葛\u{e0100}城市"),
            ("辻\u{e0100}", "辻\u{e0100}"),
            ("👨\u{200d}👩\u{200d}👧", "👨\u{200d}👩\u{200d}👧"),
            ("می\u{200c}خواهم", "می\u{200c}خواهم"),
            ("\u{fe0f}甲", "甲"),
            ("", ""),
        ] {
            assert_eq!(visible(text), kept, "{text:?}");
            assert_eq!(visible(kept), kept);
        }
    }

    #[test]
    fn phones_written_differently_are_one() {
        for phone in [
            "13812345678",
            "+86 138-1234-5678",
            "0086 13812345678",
            "8613812345678",
            "１３８ 1234 5678",
            "138 1234 5678转9",
            "013812345678",
        ] {
            assert_eq!(phone_key(phone), "13812345678", "{phone}");
        }
        for phone in ["020-87654321", "(020)87654321", "+86 20 8765 4321", "020-87654321转12"] {
            assert_eq!(phone_key(phone), "02087654321", "{phone}");
        }
        assert_eq!(phone_key("86123456"), "86123456");
        assert_eq!(phone_key("400-800-1234"), "4008001234");
        assert_eq!(phone_key("+86 400 800 1234"), "4008001234");
        assert_eq!(phone_key("+852 9123 4567"), "85291234567");
        assert_eq!(phone_key("无"), "");
    }

    #[test]
    fn names_written_differently_are_one() {
        assert_eq!(name_key("張 三"), name_key("张三"));
        assert_eq!(name_key("Ａ·Ｂ.c"), "abc");
        let key = company_key("广州天江科技有限公司");
        assert_eq!(key, "广州天江科技");
        for company in [
            "廣州天江科技有限責任公司",
            "广州天江科技股份有限公司",
            "（广州）天江科技 有限公司",
            "广州天江科技集团有限公司",
            "广州天江科技（集团）股份有限公司",
            "广州天江科技公司",
        ] {
            assert_eq!(company_key(company), key, "{company}");
        }
        assert_ne!(company_key("广州天江科技有限公司深圳分公司"), key);
        assert!(company_key("天江有限公司深圳分公司").ends_with("分公司"));
        assert_eq!(company_key("有限公司"), "有限");
        assert_eq!(company_key("集团公司"), "集团");
        assert_eq!(company_key("Tianjiang Tech Co., Ltd."), "tianjiangtech");
        assert_eq!(company_key(""), "");
    }

    #[test]
    fn plates_and_mail() {
        for plate in ["粤A12345", "粤a·12345", "粤Ａ 12345", "粵A-12345"] {
            assert_eq!(plate_key(plate), "粤A12345");
        }
        assert_eq!(mail_key(" Zhang.San+crm@Example.COM "), "zhang.san@example.com");
        assert_eq!(mail_key("+a@b.cn"), "+a@b.cn");
        assert_eq!(mail_key("x"), "x");
    }

    proptest! {
        #[test]
        fn keys_of_keys_are_keys(text in any::<String>()) {
            prop_assert_eq!(name_key(&name_key(&text)), name_key(&text));
            prop_assert_eq!(plate_key(&plate_key(&text)), plate_key(&text));
            prop_assert!(phone_key(&text).bytes().all(|b| b.is_ascii_digit()));
            company_key(&text);
            mail_key(&text);
        }
    }
}
