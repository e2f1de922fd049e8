//! One error for the whole application and its only mapping to HTTP.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::i18n::{Lang, Text};
use crate::text;

/// What is wrong with one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// Its name in the API and in forms.
    pub field: String,
    /// What is wrong and what to do.
    pub text: Text,
}

impl FieldError {
    /// A field error.
    pub fn new(field: impl Into<String>, text: impl Into<Text>) -> Self {
        Self { field: field.into(), text: text.into() }
    }
}

/// Why a request was not carried out.
#[derive(Clone, Debug)]
pub enum AppError {
    /// Nobody is signed in.
    NotSignedIn,
    /// The person must choose a password of his own first.
    MustChangePassword,
    /// The person is not registered for customer information, or has not signed the confidentiality text in force.
    MustSign,
    /// The path exists, but not with this method.
    MethodNotAllowed,
    /// The actor may see the thing but not do this to it.
    Forbidden(Text),
    /// There is no such thing.
    NotFound,
    /// There is one, but the actor may not know it: looks exactly like `NotFound` and leaves an audit row.
    Hidden {
        /// Kind of the object.
        object: &'static str,
        /// Its id.
        id: i64,
    },
    /// Fields that cannot be accepted.
    Invalid(Vec<FieldError>),
    /// The request as a whole makes no sense.
    BadRequest(Text),
    /// It contradicts the present state.
    Conflict(Text),
    /// Somebody changed the thing meanwhile.
    Stale,
    /// A change needs `If-Match`.
    PreconditionRequired,
    /// Too many attempts; try again after so many seconds.
    TooMany(u64),
    /// The request came too slowly; try again.
    TooSlow,
    /// More bytes than we take.
    TooLarge(Text),
    /// A kind of content we do not take.
    Unsupported(Text),
    /// Too busy or the database cannot be reached; try again.
    Unavailable,
    /// So much of this kind goes on at once that no more is taken; try again in a moment.
    Busy(Text),
    /// The disk is full.
    Full,
    /// A mistake of ours; the text goes to the log only.
    Internal(String),
}

impl AppError {
    /// One field error.
    pub fn field(field: &str, text: impl Into<Text>) -> Self {
        Self::Invalid(vec![FieldError::new(field, text)])
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::NotSignedIn => StatusCode::UNAUTHORIZED,
            Self::Forbidden(_) | Self::MustChangePassword | Self::MustSign => StatusCode::FORBIDDEN,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::NotFound | Self::Hidden { .. } => StatusCode::NOT_FOUND,
            Self::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::BadRequest(_) => StatusCode::BAD_REQUEST,
            Self::Conflict(_) => StatusCode::CONFLICT,
            Self::Stale => StatusCode::PRECONDITION_FAILED,
            Self::PreconditionRequired => StatusCode::PRECONDITION_REQUIRED,
            Self::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Unsupported(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Unavailable | Self::Busy(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Full => StatusCode::INSUFFICIENT_STORAGE,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Whether the same work done again by itself would be refused again: a person must change something first.
    pub fn is_final(&self) -> bool {
        match self {
            Self::NotSignedIn
            | Self::MustChangePassword
            | Self::MustSign
            | Self::MethodNotAllowed
            | Self::Forbidden(_)
            | Self::NotFound
            | Self::Hidden { .. }
            | Self::Invalid(_)
            | Self::BadRequest(_)
            | Self::PreconditionRequired
            | Self::TooLarge(_)
            | Self::Unsupported(_) => true,
            Self::Conflict(_)
            | Self::Stale
            | Self::TooMany(_)
            | Self::TooSlow
            | Self::Unavailable
            | Self::Busy(_)
            | Self::Full
            | Self::Internal(_) => false,
        }
    }

    /// The stable code programs may rely on.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotSignedIn => "not_signed_in",
            Self::Forbidden(_) => "forbidden",
            Self::MustChangePassword => "must_change_password",
            Self::MustSign => "must_sign",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::NotFound | Self::Hidden { .. } => "not_found",
            Self::Invalid(_) => "invalid",
            Self::BadRequest(_) => "bad_request",
            Self::Conflict(_) => "conflict",
            Self::Stale => "stale",
            Self::PreconditionRequired => "precondition_required",
            Self::TooMany(_) => "too_many_requests",
            Self::TooSlow => "too_slow",
            Self::TooLarge(_) => "too_large",
            Self::Unsupported(_) => "unsupported_media_type",
            Self::Unavailable => "unavailable",
            Self::Busy(_) => "busy",
            Self::Full => "disk_full",
            Self::Internal(_) => "internal",
        }
    }

    /// Why something was refused: the title, or the words of each value that is wrong.
    pub fn words(&self) -> Text {
        let Self::Invalid(errors) = self else { return self.title() };
        let all = |l: Lang| errors.iter().map(|e| e.text.to(l)).collect::<Vec<_>>().join(l.t("；"));
        Text::Both(all(Lang::Zh), all(Lang::En))
    }

    /// What a person reads: what happened and what to do next.
    pub fn title(&self) -> Text {
        match self {
            Self::NotSignedIn => text!("请先登录"),
            Self::MustChangePassword => text!("请先设置自己的新密码"),
            Self::MustSign => text!("请先签署现行的保密承诺，再使用客户信息"),
            Self::MethodNotAllowed => text!("这个地址不支持这种操作"),
            Self::NotFound | Self::Hidden { .. } => text!("没有找到，或者您无权查看"),
            Self::Invalid(_) => text!("有内容需要改正后再提交"),
            Self::Forbidden(t)
            | Self::BadRequest(t)
            | Self::Conflict(t)
            | Self::TooLarge(t)
            | Self::Unsupported(t)
            | Self::Busy(t) => t.clone(),
            Self::Stale => text!("这条记录刚被别人改过，请刷新后重新修改"),
            Self::PreconditionRequired => text!("修改时必须带 If-Match，请先读取记录取得 ETag"),
            Self::TooMany(seconds) => text!("尝试次数过多，请 {} 秒后再试", seconds),
            Self::TooSlow => text!("提交的内容太久没有传完，请检查网络后重试"),
            Self::Unavailable => text!("系统正忙，请稍后再试"),
            Self::Full => text!("服务器磁盘已满，暂时不能保存，请联系管理员清理磁盘"),
            Self::Internal(_) => text!("系统出错了，没有保存任何改动，请重试或联系管理员"),
        }
    }

    /// The problem document (RFC 9457). Titles are Chinese: the API's contract.
    pub fn problem(&self) -> serde_json::Value {
        let mut body = json!({
            "type": format!("urn:kehu:problem:{}", self.code()),
            "title": self.title().to(Lang::Zh),
            "status": self.status().as_u16(),
            "code": self.code(),
        });
        if let Self::Invalid(errors) = self {
            body["errors"] = errors
                .iter()
                .map(|e| json!({ "field": e.field, "message": e.text.to(Lang::Zh) }))
                .collect::<Vec<_>>()
                .into();
        }
        body
    }
}

/// A problem document; the error itself travels along so that page routes can show a page instead.
impl IntoResponse for AppError {
    fn into_response(self) -> Response {
        if let Self::Internal(detail) = &self {
            tracing::error!(%detail, "internal error");
        }
        let mut response = (self.status(), self.problem().to_string()).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        match &self {
            Self::TooMany(seconds) => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from(*seconds));
            }
            Self::Unavailable => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("2"));
            }
            Self::Busy(_) => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("10"));
            }
            Self::NotSignedIn => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            _ => {}
        }
        response.extensions_mut().insert(self);
        response
    }
}

impl From<store::Error> for AppError {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::Busy
            | store::Error::Unavailable(_)
            | store::Error::Serialization
            | store::Error::Closed => Self::Unavailable,
            store::Error::StorageFailed => Self::Unavailable,
            store::Error::Full => Self::Full,
            other => Self::Internal(other.to_string()),
        }
    }
}

impl std::fmt::Display for AppError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Internal(detail) => f.write_str(detail),
            Self::Invalid(errors) => {
                for error in errors {
                    writeln!(f, "{}: {}", error.field, error.text)?;
                }
                Ok(())
            }
            other => write!(f, "{}", other.title()),
        }
    }
}
impl std::error::Error for AppError {}
