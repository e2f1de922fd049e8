//! What can go wrong, in the words of the reader who can mend it.

/// Why a deadline could not be read or reckoned.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("时限“{text}”写法有误：{reason}")]
    Written { text: String, reason: &'static str },
    #[error("时限的数量应在1至{}之间", crate::within::MOST)]
    Amount,
    #[error("起算时间超出日历范围（1990年至2100年）")]
    Start,
    #[error("到期时间超出日历范围（1990年至2100年），请检查时限和工作日的设置")]
    End,
    #[error("暂停的结束早于开始，请核对暂停记录")]
    Pause,
}

impl Error {
    pub(crate) fn written(text: &str, reason: &'static str) -> Self {
        Self::Written { text: text.chars().take(40).collect(), reason }
    }
}

/// Why a file of holidays, overrides or hours was refused, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("第{line}行：{reason}")]
pub struct FileError {
    /// Counted from 1.
    pub line: usize,
    pub reason: String,
}
