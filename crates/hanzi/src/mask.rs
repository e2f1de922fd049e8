//! Masking of personal data for people who may know of a record but not see it whole. The masked text never shows more
//! than the pattern, however short the input is.

use crate::{fold, readings};

/// 138****5678; other numbers keep three digits in front and the last four, at most half of what there is.
pub fn phone(phone: &str) -> String {
    middle(phone.trim(), 3, 4)
}

/// 4401**********1234 for an identity number; shorter ones show less.
pub fn id_card(number: &str) -> String {
    middle(number.trim(), 4, 4)
}

/// The family name and a star for every other character: 张*, 张**, 欧阳*. A name in letters keeps its first letter.
pub fn name(name: &str) -> String {
    let name = name.trim();
    let len = name.chars().count();
    if readings::surname_len(name) == 0 || name.chars().any(fold::is_name_dot) {
        return first(name, 1, len.saturating_sub(1).clamp(1, 3));
    }
    let shown = readings::surname_len(name).min(len.saturating_sub(1));
    first(name, shown, len.saturating_sub(shown).clamp(1, 3))
}

/// Province, city and district; the rest is hidden. An address without them shows at most six characters, never more
/// than half.
pub fn address(address: &str) -> String {
    let address = address.trim();
    let len = address.chars().count();
    let district = address.char_indices().take(20).filter(|(_, c)| "区县市旗區縣".contains(*c)).last();
    match district {
        Some((at, c)) if at + c.len_utf8() < address.len() => {
            format!("{}****", &address[..at + c.len_utf8()])
        }
        _ => first(address, (len / 2).min(6), 4),
    }
}

/// z***@example.com: the domain and the first character.
pub fn email(email: &str) -> String {
    match email.trim().rsplit_once('@') {
        Some((local, domain)) => {
            let shown: String = local.chars().take(local.chars().count().min(2) / 2).collect();
            format!("{shown}***@{domain}")
        }
        None => first(email.trim(), 0, 3),
    }
}

fn first(text: &str, shown: usize, stars: usize) -> String {
    if text.is_empty() {
        return String::new();
    }
    let mut masked: String = text.chars().take(shown).collect();
    masked.extend(std::iter::repeat_n('*', stars));
    masked
}

fn middle(text: &str, front: usize, back: usize) -> String {
    let chars: Vec<char> = text.chars().collect();
    let len = chars.len();
    let (front, back) = if len >= front + back + 4 { (front, back) } else { (len / 4, len / 4) };
    let shown = |i: usize| i < front || i >= len - back;
    chars.iter().enumerate().map(|(i, &c)| if shown(i) { c } else { '*' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn hides_the_middle() {
        assert_eq!(phone("13812345678"), "138****5678");
        assert_eq!(phone("87654321"), "87****21");
        assert_eq!(phone("110"), "***");
        assert_eq!(phone(""), "");
        assert_eq!(id_card("440106199001011234"), "4401**********1234");
        assert_eq!(id_card("12"), "**");
    }

    #[test]
    fn hides_names_addresses_and_mail() {
        for (text, masked) in [
            ("张三", "张*"),
            ("张三丰", "张**"),
            ("欧阳修", "欧阳*"),
            ("张", "*"),
            ("Bob", "B**"),
            ("约翰·史密斯", "约***"),
            ("", ""),
        ] {
            assert_eq!(name(text), masked);
        }
        assert_eq!(address("广东省广州市天河区体育西路1号"), "广东省广州市天河区****");
        assert_eq!(address("体育西路103号"), "体育西路****");
        assert_eq!(address("天河区"), "天****");
        assert_eq!(address(""), "");
        assert_eq!(email("zhang@example.com"), "z***@example.com");
        assert_eq!(email("a@b.cn"), "***@b.cn");
        assert_eq!(email("nobody"), "***");
    }

    proptest! {
        #[test]
        fn something_is_always_hidden(text in "\\PC{1,30}") {
            for masked in [phone(&text), id_card(&text), name(&text), address(&text), email(&text)] {
                prop_assert!(masked.contains('*') || text.trim().is_empty());
            }
        }
    }
}
