//! Password hashing: argon2id with 19 MiB and two passes (OWASP ASVS 5.0 appendix C), at most as many at a time as
//! there are cores, so that a wave of log-ins cannot take the machine's memory.

use std::sync::Arc;

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use tokio::sync::Semaphore;

use crate::error::AppError;
use crate::i18n::Text;
use crate::text;

/// How many log-ins may wait for a core before the next one is refused.
const WAITING: usize = 64;

/// Hashes and checks passwords off the async threads.
#[derive(Clone)]
pub struct Passwords {
    cores: Arc<Semaphore>,
    places: Arc<Semaphore>,
    dummy: Arc<String>,
}

impl Passwords {
    /// Prepares the hash that is checked when there is no such account, so that the answer takes as long.
    pub fn new() -> Result<Self, AppError> {
        let cores = std::thread::available_parallelism().map_or(2, |n| n.get());
        Ok(Self {
            cores: Arc::new(Semaphore::new(cores)),
            places: Arc::new(Semaphore::new(cores + WAITING)),
            dummy: Arc::new(hash_now("没有这个帐号时比对的口令")?),
        })
    }

    /// The hash to store.
    pub async fn hash(&self, password: String) -> Result<String, AppError> {
        self.run(move || hash_now(&password)).await?
    }

    /// Whether the password belongs to the hash; with `None` the same work is done and the answer is no.
    pub async fn verify(&self, password: String, hash: Option<String>) -> Result<bool, AppError> {
        let is_known = hash.is_some();
        let hash = hash.unwrap_or_else(|| (*self.dummy).clone());
        let is_right = self.run(move || verify_now(&password, &hash)).await?;
        Ok(is_right && is_known)
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, AppError> {
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| AppError::Unavailable)?;
        let core = Arc::clone(&self.cores).acquire_owned().await.map_err(|_| AppError::Unavailable)?;
        tokio::task::spawn_blocking(move || {
            let done = work();
            drop((core, place));
            done
        })
        .await
        .map_err(|e| AppError::Internal(e.to_string()))
    }
}

fn argon() -> Result<Argon2<'static>, AppError> {
    let params = Params::new(19 * 1024, 2, 1, None).map_err(|e| AppError::Internal(e.to_string()))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// Hashes on this thread: for the command line.
pub(crate) fn hash_now(password: &str) -> Result<String, AppError> {
    let mut salt = [0; 16];
    getrandom::fill(&mut salt).map_err(|e| AppError::Internal(e.to_string()))?;
    let hash: argon2::password_hash::phc::PasswordHash = argon()?
        .hash_password_with_salt(password.as_bytes(), &salt)
        .map_err(|e| AppError::Internal(e.to_string()))?;
    Ok(hash.to_string())
}

fn verify_now(password: &str, hash: &str) -> bool {
    let Ok(argon) = argon() else { return false };
    PasswordHash::new(hash).is_ok_and(|hash| argon.verify_password(password.as_bytes(), &hash).is_ok())
}

/// Shortest and longest password in characters (ASVS 6.2.1, 6.2.9). No composition rules and no forced change.
const LENGTH: std::ops::RangeInclusive<usize> = 12..=128;

/// Why a new password cannot be accepted, if so: too short or long, well known, or made of the person's own words.
pub fn check_new_password(password: &str, own_words: &[&str]) -> Option<Text> {
    let length = password.chars().count();
    if length < *LENGTH.start() {
        return Some(text!(
            "密码至少 {} 个字符，现在只有 {} 个；可以用几个词连成一句话",
            LENGTH.start(),
            length
        ));
    }
    if length > *LENGTH.end() {
        return Some(text!("密码最多 {} 个字符", LENGTH.end()));
    }
    let folded = password.to_lowercase();
    let is_trivial = {
        let mut distinct: Vec<char> = folded.chars().collect();
        distinct.sort_unstable();
        distinct.dedup();
        distinct.len() < 5
    };
    let is_common =
        COMMON.lines().any(|word| !word.is_empty() && folded.replace(word, "").chars().count() < 6);
    let is_own = own_words
        .iter()
        .any(|w| w.chars().count() >= 3 && folded.replace(&w.to_lowercase(), "").chars().count() < 5);
    (is_trivial || is_common || is_own)
        .then(|| text!("这个密码太容易被猜到，请不要使用常见密码、用户名或公司名称"))
}

/// A password for the first log-in, to be read out or copied: four groups of four characters that cannot be mistaken
/// for one another, 78 random bits.
pub fn temporary_password() -> Result<String, AppError> {
    const LETTERS: &[u8; 30] = b"abcdefghjkmnpqrstuvwxyz2345678";
    let mut password = String::new();
    let mut bytes = [0; 64];
    getrandom::fill(&mut bytes).map_err(|e| AppError::Internal(format!("no randomness: {e}")))?;
    // 240 is the largest multiple of 30 in a byte: beyond it some letters would come more often.
    for byte in bytes.iter().filter(|b| **b < 240).take(16) {
        if password.len() % 5 == 4 {
            password.push('-');
        }
        password.push(LETTERS[usize::from(byte % 30)] as char);
    }
    if password.len() < 19 { temporary_password() } else { Ok(password) }
}

/// Words and sequences that well-known passwords are made of, one a line, lower case.
const COMMON: &str = include_str!("../../data/common_passwords.txt");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_argon2id_with_the_recommended_cost_and_fits_its_password_only() {
        let hash = hash_now("正确的马电池订书钉").unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(verify_now("正确的马电池订书钉", &hash));
        assert!(!verify_now("错误的马电池订书钉", &hash));
        assert!(!verify_now("x", "不是哈希"));
    }

    #[test]
    fn guessable_passwords_are_refused_at_the_boundary() {
        assert!(check_new_password("qpwoeirutya", &[]).is_some());
        assert!(check_new_password("qpwoeirutyal", &[]).is_none());
        assert!(check_new_password(&"长".repeat(129), &[]).is_some());
        assert!(check_new_password("aaaaaaaaaaaaaa", &[]).is_some());
        assert!(check_new_password("password1234", &[]).is_some());
        assert!(check_new_password("tianjiang2026", &["tianjiang2026"]).is_some());
        assert!(check_new_password("一句容易记住但很长的中文话", &["天江物业"]).is_none());
    }
}
