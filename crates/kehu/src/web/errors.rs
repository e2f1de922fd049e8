//! What is wrong with a form, by field, in the reader's words.

use crate::error::{AppError, FieldError};
use crate::i18n::Lang;

/// Messages by field name. Empty for a form that has not been sent yet.
#[derive(Clone, Debug, Default)]
pub struct FormErrors(Vec<(String, String)>);

impl FormErrors {
    /// The messages of a refusal that the person can mend in the form; any other error is handed back.
    pub fn from_error(error: AppError, lang: Lang) -> Result<Self, AppError> {
        match error {
            AppError::Invalid(errors) => Ok(Self::new(&errors, lang)),
            AppError::Conflict(text) => Ok(Self(vec![(String::new(), text.to(lang))])),
            AppError::Stale => Ok(Self(vec![(String::new(), error.title().to(lang))])),
            other => Err(other),
        }
    }

    /// These messages.
    pub fn new(errors: &[FieldError], lang: Lang) -> Self {
        Self(errors.iter().map(|e| (e.field.clone(), e.text.to(lang))).collect())
    }

    /// What is wrong with a field; empty when nothing is.
    pub fn of(&self, field: &str) -> &str {
        self.0.iter().find(|(name, _)| name == field).map_or("", |(_, text)| text.as_str())
    }

    /// What is wrong with the form as a whole, or with fields that are not among those shown.
    pub fn besides(&self, shown: &[&str]) -> Vec<&str> {
        self.0.iter().filter(|(name, _)| !shown.contains(&name.as_str())).map(|(_, t)| t.as_str()).collect()
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
