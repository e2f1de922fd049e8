//! Numbers that pass the checks of their standards: ID cards (GB 11643), unified social credit codes (GB 32100),
//! vehicle identification numbers (GB 16735), number plates (GA 36), telephone numbers.

use jiff::civil::Date;

use super::random::Random;

/// Prefixes of the mobile networks, weighted by how often one meets them.
const MOBILE_PREFIXES: &[(&str, usize)] = &[
    ("130", 4),
    ("131", 4),
    ("132", 3),
    ("133", 4),
    ("134", 4),
    ("135", 6),
    ("136", 6),
    ("137", 6),
    ("138", 8),
    ("139", 7),
    ("147", 2),
    ("150", 5),
    ("151", 5),
    ("152", 4),
    ("153", 3),
    ("155", 3),
    ("156", 3),
    ("157", 3),
    ("158", 6),
    ("159", 6),
    ("166", 2),
    ("173", 2),
    ("175", 2),
    ("176", 3),
    ("177", 3),
    ("178", 3),
    ("180", 4),
    ("181", 3),
    ("182", 4),
    ("183", 4),
    ("185", 4),
    ("186", 5),
    ("187", 5),
    ("188", 5),
    ("189", 5),
    ("191", 1),
    ("193", 1),
    ("198", 2),
    ("199", 2),
];

/// Characters of the credit code, without I, O, S, V and Z; their places are their values.
const CREDIT_ALPHABET: &[u8] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";
const VIN_ALPHABET: &[u8] = b"0123456789ABCDEFGHJKLMNPRSTUVWXYZ";
const VIN_YEARS: &[u8] = b"ABCDEFGHJKLMNPRSTVWXY123456789";
/// Letters and digits of a plate after the place; the standard leaves out I and O.
const PLATE_ALPHABET: &[u8] = b"0123456789ABCDEFGHJKLMNPQRSTUVWXYZ";

pub fn mobile(random: &mut Random) -> String {
    let prefix = random.weighted(MOBILE_PREFIXES, |(_, weight)| *weight).0;
    format!("{prefix}{}", random.digits(b"0123456789", 8))
}

/// `020-38xxxxxx`; local numbers begin with 2 to 8.
pub fn landline(random: &mut Random, area_code: &str, digits: usize) -> String {
    format!("{area_code}-{}", random.digits(b"2345678", digits))
}

/// An ID number: six digits of a division, the birthday, a number that is odd for men, the check character.
pub fn id_number(random: &mut Random, division: &str, birthday: Date, male: bool) -> String {
    let serial = random.between(1, 499) * 2 - i64::from(male);
    let body = format!("{division}{}{serial:03}", birthday.strftime("%Y%m%d"));
    let check = id_check(&body);
    format!("{body}{check}")
}

/// The 18th character for the first 17 (ISO 7064, MOD 11-2).
pub fn id_check(body: &str) -> char {
    let product = body.bytes().fold(0, |product, b| (product + usize::from(b.wrapping_sub(b'0'))) * 2 % 11);
    char::from(b"10X98765432"[product])
}

/// A credit code: registering authority and kind (`91` enterprise …), division, organisation code, check character.
pub fn credit_code(random: &mut Random, authority: &str, division: &str) -> String {
    let mut organisation = String::from("MA");
    while organisation.len() < 8 {
        organisation.push(char::from(*random.pick(CREDIT_ALPHABET)));
    }
    let inner = organisation_check(&organisation);
    let body = format!("{authority}{division}{organisation}{inner}");
    let check = credit_check(&body);
    format!("{body}{check}")
}

/// The ninth character of an organisation code (GB 11714): letters count from A = 10, without gaps.
pub fn organisation_check(body: &str) -> char {
    const WEIGHTS: [u32; 8] = [3, 7, 9, 10, 5, 8, 4, 2];
    let sum: u32 = body.chars().zip(WEIGHTS).map(|(c, weight)| c.to_digit(36).unwrap_or(0) * weight).sum();
    match 11 - sum % 11 {
        10 => 'X',
        11 => '0',
        digit => char::from_digit(digit, 10).unwrap_or('0'),
    }
}

/// The 18th character for the first 17: weights 3^i modulo 31.
pub fn credit_check(body: &str) -> char {
    let mut weight = 1;
    let mut sum = 0;
    for b in body.bytes() {
        sum += CREDIT_ALPHABET.iter().position(|&c| c == b).unwrap_or(0) * weight;
        weight = weight * 3 % 31;
    }
    char::from(CREDIT_ALPHABET[(31 - sum % 31) % 31])
}

/// A VIN of the maker (three characters) and model year; the last four characters are digits as the standard wants.
pub fn vin(random: &mut Random, maker: &str, year: i16) -> String {
    let mut text = String::from(maker);
    for _ in 0..5 {
        text.push(char::from(*random.pick(VIN_ALPHABET)));
    }
    text.push('0');
    let index = usize::try_from(i32::from(year) - 1980).unwrap_or(0) % VIN_YEARS.len();
    text.push(char::from(VIN_YEARS[index]));
    text.push(char::from(*random.pick(b"ABCDEFGH")));
    text.push_str(&random.digits(b"0123456789", 6));
    let check = vin_check(&text);
    text.replace_range(8..9, check.encode_utf8(&mut [0; 4]));
    text
}

/// The ninth character, whatever stands there now.
pub fn vin_check(vin: &str) -> char {
    const WEIGHTS: [u32; 17] = [8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2];
    let value = |c: char| match c {
        '0'..='9' => c.to_digit(10).unwrap_or(0),
        'A'..='H' => c as u32 - 'A' as u32 + 1,
        'J'..='R' => c as u32 - 'J' as u32 + 1,
        'S'..='Z' => c as u32 - 'S' as u32 + 2,
        _ => 0,
    };
    let sum: u32 = vin.chars().zip(WEIGHTS).map(|(c, weight)| value(c) * weight).sum();
    match sum % 11 {
        10 => 'X',
        digit => char::from_digit(digit, 10).unwrap_or('0'),
    }
}

/// A plate of the place (`粤A`): five characters, of which at most two letters, or a green plate of a new-energy car.
pub fn plate(random: &mut Random, place: &str, new_energy: bool) -> String {
    if new_energy {
        let kind = random.pick(&['D', 'F']);
        return format!("{place}{kind}{}", random.digits(b"0123456789", 5));
    }
    let letters = [random.below(5), random.below(5)];
    let tail = (0..5).map(|place| {
        let range = if letters.contains(&place) { 10..PLATE_ALPHABET.len() } else { 0..10 };
        char::from(*random.pick(&PLATE_ALPHABET[range]))
    });
    format!("{place}{}", tail.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_characters_of_published_examples() {
        // GB 11643 prints 11010519491231002X and 440524188001010014.
        assert_eq!(id_check("11010519491231002"), 'X');
        assert_eq!(id_check("44052418800101001"), '4');
        // GB 11714 prints D2143569-X.
        assert_eq!(organisation_check("D2143569"), 'X');
        // ISO 3779: the textbook examples.
        assert_eq!(vin_check("11111111111111111"), '1');
        assert_eq!(vin_check("1M8GDM9AXKP042788"), 'X');
        // A code printed in GB 32100.
        assert_eq!(credit_check("91350100M000100Y4"), '3');
    }
}
