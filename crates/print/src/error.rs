//! Why something was not printed, in Chinese and English.

/// Why something was not printed. The text is for people; it names the part of the input by its title or label.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PrintError {
    /// No font with Chinese characters was found. Asking again looks again, so no restart is needed.
    #[error(
        "没有找到中文字体，无法打印。请安装 Debian 软件包 fonts-noto-cjk（apt-get install fonts-noto-cjk），\
         或把一个免费中文字体文件（如 NotoSansCJK-Regular.ttc）放进字体目录。已查找：{looked_in}。\
         No Chinese font was found, so nothing can be printed. Install the Debian package fonts-noto-cjk, or put a \
         free Chinese font file (such as NotoSansCJK-Regular.ttc) into the folder of fonts. Looked in: {looked_in}."
    )]
    NoFont {
        /// The folders, joined by commas.
        looked_in: String,
    },
    /// Something is beyond [`crate::limits`].
    #[error(
        "{what}超出打印上限：{found}，最多 {limit}。Too much to print ({what}): {found}, at most {limit}."
    )]
    TooLarge {
        /// Which part of the input.
        what: String,
        /// How many there are: rows, characters, bytes …
        found: usize,
        /// How many there may be.
        limit: usize,
    },
    /// The input contradicts itself.
    #[error("{zh} {en}")]
    Invalid {
        /// What is wrong and where.
        zh: String,
        /// The same in English.
        en: String,
    },
    /// The typesetter failed on input that was accepted: a fault of this crate.
    #[error("排版失败：{0}。Typesetting failed: {0}.")]
    Typesetting(String),
}

impl PrintError {
    pub(crate) fn invalid(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self::Invalid { zh: zh.into(), en: en.into() }
    }
}
