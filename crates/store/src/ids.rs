//! 64-bit ids made by the application: time-ordered, unique without asking the database, 13 letters at every face.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// 2024-01-01T00:00:00Z in milliseconds; ids hold 41 bits of milliseconds from here (to 2093).
const EPOCH_MS: i64 = 1_704_067_200_000;
const SEQUENCE_BITS: u32 = 12;
const NODE_BITS: u32 = 10;

static LAST: AtomicI64 = AtomicI64::new(0);

/// A new id, larger than every id this process made before, even when the clock steps back. Layout: milliseconds,
/// sequence, and ten random bits a process, so that servers sharing a database do not meet.
pub fn new_id() -> i64 {
    static NODE: std::sync::OnceLock<i64> = std::sync::OnceLock::new();
    let node = *NODE.get_or_init(|| {
        let mut bytes = [0; 2];
        // Without randomness the node is 0: unique as long as one server runs.
        let _ = getrandom::fill(&mut bytes);
        i64::from(u16::from_le_bytes(bytes)) & ((1 << NODE_BITS) - 1)
    });
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis() as i64);
    let floor = (now - EPOCH_MS).max(1) << SEQUENCE_BITS;
    // More than 4,096 ids in a millisecond borrow from the next one.
    let tick = match LAST.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |last| Some(floor.max(last + 1))) {
        Ok(last) | Err(last) => floor.max(last + 1),
    };
    tick << NODE_BITS | node
}

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// The 13 Crockford base-32 characters of an id.
pub fn format_id(id: i64) -> String {
    let bits = id as u64;
    (0..13).map(|n| ALPHABET[(bits >> (60 - 5 * n) & 31) as usize] as char).collect()
}

/// An id was not 13 Crockford base-32 characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an id: 13 characters of 0-9 and A-Z without I, L, O, U are expected")]
pub struct IdError;

/// Reads what `format_id` wrote; lower case and the look-alikes I, L, O are understood as Crockford asks.
pub fn parse_id(text: &str) -> Result<i64, IdError> {
    if text.len() != 13 {
        return Err(IdError);
    }
    let mut bits = 0u64;
    for (n, c) in text.bytes().enumerate() {
        let c = match c.to_ascii_uppercase() {
            b'O' => b'0',
            b'I' | b'L' => b'1',
            c => c,
        };
        let digit = ALPHABET.iter().position(|a| *a == c).ok_or(IdError)? as u64;
        // The first character holds the top 4 of 64 bits; ids are never negative.
        if n == 0 && digit > 7 {
            return Err(IdError);
        }
        bits = bits << 5 | digit;
    }
    Ok(bits as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_grow_and_survive_writing_and_reading() {
        let mut last = 0;
        for _ in 0..20_000 {
            let id = new_id();
            assert!(id > last);
            assert_eq!(parse_id(&format_id(id)), Ok(id));
            last = id;
        }
        assert_eq!(parse_id(&format_id(i64::MAX)), Ok(i64::MAX));
        assert_eq!(parse_id(&format_id(0)), Ok(0));
        assert_eq!(parse_id("oooooooooooo1"), Ok(1));
        for bad in ["", "123", "Z000000000000", "00000000000U0", "客客客客1"] {
            assert_eq!(parse_id(bad), Err(IdError));
        }
    }
}
