//! Amounts of money in Chinese capitals, as invoices, contracts and cheques write them.

const DIGITS: [char; 10] = ['零', '壹', '贰', '叁', '肆', '伍', '陆', '柒', '捌', '玖'];
const PLACES: [&str; 4] = ["", "拾", "佰", "仟"];
const GROUPS: [&str; 5] = ["", "万", "亿", "兆", "京"];

/// `cents` (分) in words: 1234567 is 壹万贰仟叁佰肆拾伍元陆角柒分. Whole amounts end in 整, negative ones begin with 负.
pub fn in_words(cents: i64) -> String {
    let amount = cents.unsigned_abs();
    let (yuan, jiao, fen) = (amount / 100, digit(amount / 10), digit(amount));
    let mut words = String::with_capacity(64);
    if cents < 0 {
        words.push('负');
    }
    if yuan > 0 || amount == 0 {
        push_integer(&mut words, yuan);
        words.push('元');
    }
    if jiao > 0 {
        words.push(DIGITS[jiao]);
        words.push('角');
    } else if fen > 0 && yuan > 0 {
        words.push('零');
    }
    if fen > 0 {
        words.push(DIGITS[fen]);
        words.push('分');
    } else {
        words.push('整');
    }
    words
}

fn push_integer(words: &mut String, number: u64) {
    if number == 0 {
        words.push('零');
        return;
    }
    let mut has_higher = false;
    // One 零 stands for any number of zeros between two digits.
    let mut zero_due = false;
    for (group, unit) in GROUPS.iter().enumerate().rev() {
        let in_group = number / 10_000_u64.pow(group as u32) % 10_000;
        for (place, name) in PLACES.iter().enumerate().rev() {
            let digit = digit(in_group / 10_u64.pow(place as u32));
            if digit == 0 {
                zero_due = has_higher;
                continue;
            }
            // 拾万伍仟: zeros at the end of a group need no 零 when the next group is full.
            if zero_due && !(place == 3 && words.ends_with(GROUPS[group + 1])) {
                words.push('零');
            }
            words.push(DIGITS[digit]);
            words.push_str(name);
            (has_higher, zero_due) = (true, false);
        }
        if in_group > 0 {
            words.push_str(unit);
        }
    }
}

fn digit(number: u64) -> usize {
    (number % 10) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn writes_amounts() {
        for (cents, words) in [
            (0, "零元整"),
            (1, "壹分"),
            (10, "壹角整"),
            (12, "壹角贰分"),
            (100, "壹元整"),
            (105, "壹元零伍分"),
            (150, "壹元伍角整"),
            (1_000, "壹拾元整"),
            (1_234_567, "壹万贰仟叁佰肆拾伍元陆角柒分"),
            (100_500, "壹仟零伍元整"),
            (1_000_500, "壹万零伍元整"),
            (1_050_000, "壹万零伍佰元整"),
            (10_500_000, "壹拾万伍仟元整"),
            (10_000_000_000, "壹亿元整"),
            (10_000_000_100, "壹亿零壹元整"),
            (10_005_000_000, "壹亿零伍万元整"),
            (10_005_000_500, "壹亿零伍万零伍元整"),
            (10_050_000_000_000, "壹仟零伍亿元整"),
            (100_000_000_000_000, "壹兆元整"),
            (100_000_000_000_005, "壹兆元零伍分"),
            (100_000_001_000_000, "壹兆零壹万元整"),
            (-168_032, "负壹仟陆佰捌拾元叁角贰分"),
            (i64::MAX, "玖京贰仟贰佰叁拾叁兆柒仟贰佰零叁亿陆仟捌佰伍拾肆万柒仟柒佰伍拾捌元零柒分"),
            (i64::MIN, "负玖京贰仟贰佰叁拾叁兆柒仟贰佰零叁亿陆仟捌佰伍拾肆万柒仟柒佰伍拾捌元零捌分"),
        ] {
            assert_eq!(in_words(cents), words, "{cents}");
        }
    }

    /// Reads the words back.
    fn cents_of(words: &str) -> i128 {
        let (sign, words) = words.strip_prefix('负').map_or((1, words), |rest| (-1, rest));
        let (mut total, mut group, mut digit) = (0_i128, 0_i128, 0_i128);
        let mut cents = 0;
        for c in words.chars() {
            if let Some(value) = DIGITS.iter().position(|&d| d == c) {
                digit = value as i128;
                continue;
            }
            match c {
                '拾' | '佰' | '仟' => {
                    group += digit * 10_i128.pow("拾佰仟".chars().position(|p| p == c).unwrap() as u32 + 1)
                }
                '万' | '亿' | '兆' | '京' => {
                    let power = "万亿兆京".chars().position(|p| p == c).unwrap() as u32 + 1;
                    total += (group + digit) * 10_000_i128.pow(power);
                    group = 0;
                }
                '元' => cents = (total + group + digit) * 100,
                '角' => cents += digit * 10,
                '分' => cents += digit,
                _ => {}
            }
            digit = 0;
        }
        sign * cents
    }

    proptest! {
        #[test]
        fn words_say_the_amount(cents in prop_oneof![any::<i64>(), -100_000_000..100_000_000_i64]) {
            let words = in_words(cents);
            prop_assert_eq!(cents_of(&words), i128::from(cents));
            prop_assert!(!words.contains("零零") && !words.contains("零元") && !words.contains("零万"));
        }
    }
}
