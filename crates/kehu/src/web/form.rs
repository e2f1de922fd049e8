//! Form bodies and query strings as lists of names and values: catalogue-driven forms have no fixed struct.

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;

use crate::app::App;
use crate::error::AppError;
use crate::text;

/// One offered value of a select.
#[derive(Clone, Debug)]
pub struct Choice {
    /// What is sent.
    pub value: String,
    /// What is shown.
    pub label: String,
}

/// Names and values of a form, in order. At most 2,000 of them.
#[derive(Clone, Debug, Default)]
pub struct FormData(pub Vec<(String, String)>);

/// Names and values of a query string, in order.
#[derive(Clone, Debug, Default)]
pub struct QueryData(pub FormData);

/// Values of a form at the most.
const MOST: usize = 2_000;

impl FormData {
    /// Reads `application/x-www-form-urlencoded`.
    pub fn parse(bytes: &[u8]) -> Result<Self, AppError> {
        let all: Vec<(String, String)> = form_urlencoded::parse(bytes)
            .take(MOST + 1)
            .map(|(k, v)| (k.into_owned(), v.into_owned()))
            .collect();
        if all.len() > MOST {
            return Err(AppError::TooLarge(text!("表单的内容太多，请分几次提交")));
        }
        // No text of ours has NUL, and PostgreSQL cannot store it.
        if let Some((name, _)) = all.iter().find(|(name, value)| name.contains('\0') || value.contains('\0'))
        {
            return Err(AppError::field(&name.replace('\0', ""), text!("含有不可见字符，请删除后重新输入")));
        }
        Ok(Self(all))
    }

    /// The last value of a name, as browsers' hidden-before-checkbox pairs want it; empty when absent.
    pub fn get(&self, name: &str) -> &str {
        self.0.iter().rev().find(|(n, _)| n == name).map_or("", |(_, v)| v.as_str())
    }

    /// The value of a name, `None` when absent.
    pub fn find(&self, name: &str) -> Option<&str> {
        self.0.iter().rev().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// What somebody looks for on a page: the value of a name without spaces around it, and no more of it than `longest`
    /// characters.
    pub fn cut(&self, name: &str, longest: usize) -> &str {
        let text = self.get(name).trim();
        text.char_indices().nth(longest).map_or(text, |(end, _)| &text[..end])
    }

    /// A short name that a program asks with; refused when it is longer than any can be.
    pub fn word(&self, name: &str, longest: usize) -> Result<&str, AppError> {
        let text = self.get(name);
        if text.chars().count() > longest {
            return Err(AppError::field(name, text!("最多 {} 个字", longest)));
        }
        Ok(text)
    }

    /// Every value of a name.
    pub fn all(&self, name: &str) -> Vec<&str> {
        self.0.iter().filter(|(n, _)| n == name).map(|(_, v)| v.as_str()).collect()
    }

    /// Whether a checkbox is ticked.
    pub fn is_ticked(&self, name: &str) -> bool {
        matches!(self.get(name), "1" | "on" | "true" | "yes")
    }

    /// The query string of these values with some replaced (an empty value removes) – to build links.
    pub fn with(&self, changes: &[(&str, &str)]) -> String {
        let mut written = form_urlencoded::Serializer::new(String::new());
        for (name, value) in &self.0 {
            if !value.is_empty() && !changes.iter().any(|(n, _)| n == name) {
                written.append_pair(name, value);
            }
        }
        for (name, value) in changes.iter().filter(|(_, v)| !v.is_empty()) {
            written.append_pair(name, value);
        }
        written.finish()
    }
}

impl std::ops::Deref for QueryData {
    type Target = FormData;
    fn deref(&self) -> &FormData {
        &self.0
    }
}

impl FromRequest<App> for FormData {
    type Rejection = AppError;
    async fn from_request(request: Request, app: &App) -> Result<Self, AppError> {
        let is_form = request
            .headers()
            .get(axum::http::header::CONTENT_TYPE)
            .and_then(|v| v.to_str().ok())
            .is_some_and(|v| v.starts_with("application/x-www-form-urlencoded"));
        let bytes = Bytes::from_request(request, app)
            .await
            .map_err(|_| AppError::TooLarge(text!("提交的内容太大，请减少后重试")))?;
        if !is_form && !bytes.is_empty() {
            return Err(AppError::Unsupported(text!("表单的格式不对，请刷新页面后重试")));
        }
        Self::parse(&bytes)
    }
}

impl FromRequestParts<App> for QueryData {
    type Rejection = AppError;
    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, AppError> {
        FormData::parse(parts.uri.query().unwrap_or_default().as_bytes()).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_has_an_end() {
        let asked = FormData(vec![("q".into(), format!("  {}  ", "长".repeat(60_000)))]);
        assert_eq!(asked.cut("q", 100), "长".repeat(100));
        assert_eq!(asked.cut("other", 100), "");
        assert!(asked.word("q", 60).is_err());
        let asked = FormData(vec![("q".into(), "长".repeat(60))]);
        assert_eq!((asked.cut("q", 60), asked.word("q", 60).unwrap()), (asked.get("q"), asked.get("q")));
    }
}
