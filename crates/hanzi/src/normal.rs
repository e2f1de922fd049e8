//! Keys under which the same person, company, number or car written differently is found as a duplicate. Keys are for
//! comparing, not for showing. An empty key means that nothing can be compared.

use crate::fold;

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
