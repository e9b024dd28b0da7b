//! What every route answers: `{"summary":…,"data":…,"error":…}`.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tweetfilter_core::Span;
use tweetfilter_core::syntax::{Diagnostic, Severity};
use tweetfilter_stream::store::StoreError;
use utoipa::ToSchema;
use utoipa::openapi::schema::{Object, ObjectBuilder, Type};

use super::handles::UnknownHandles;
use super::place::{Place, Places};
use super::words;

/// The answer of every route if all went well.
#[derive(Debug, Serialize, ToSchema)]
pub struct Answer<T> {
    /// What can be said about the data as a whole.
    pub summary: Summary,
    /// What was asked for.
    pub data: T,
    /// Null: nothing went wrong.
    #[schema(schema_with = null)]
    pub error: (),
}

/// The answer of every route if something went wrong.
#[derive(Debug, Serialize, ToSchema)]
pub struct Refused {
    /// The message of the error.
    pub summary: Summary,
    /// Null: there is none.
    #[schema(schema_with = null)]
    pub data: (),
    /// What went wrong.
    pub error: ErrorBody,
}

fn null() -> Object {
    ObjectBuilder::new().schema_type(Type::Null).build()
}

/// What can be said about an answer as a whole.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct Summary {
    /// One sentence for people.
    pub text: String,
    /// How many things `data` lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub count: Option<usize>,
    /// Say it as `before` to get what follows; absent where nothing does.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub next: Option<String>,
    /// The last commit that this answer takes into account: go on from it with `/live`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub commit: Option<i64>,
    /// A search has looked at everything that was received after this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub searched_back_to: Option<String>,
    /// Handles in the expression of a search that stand for nobody; absent where there are none, or Bluesky plays no part on
    /// this server.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub unknown_handles: Option<UnknownHandles>,
}

impl Summary {
    /// A sentence.
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    /// How many things of a kind there are: `3 filters`.
    pub(super) fn counted(count: usize, one: &str) -> Self {
        let plural = if count == 1 { "" } else { "s" };
        Self { count: Some(count), ..Self::new(format!("{count} {one}{plural}")) }
    }
}

impl<T: Serialize> Answer<T> {
    /// All went well.
    pub(super) fn new(summary: Summary, data: T) -> Self {
        Self { summary, data, error: () }
    }
}

impl<T: Serialize> IntoResponse for Answer<T> {
    fn into_response(self) -> Response {
        Json(self).into_response()
    }
}

/// What went wrong.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ErrorBody {
    /// Stable, snake_case.
    pub code: String,
    /// One sentence for a person.
    pub message: String,
    /// Where in the text that was sent.
    pub span: Option<Place>,
    /// Ways out, the likeliest first.
    pub fixes: Vec<FixIt>,
    /// Everything that is wrong or doubtful in an expression.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub diagnostics: Vec<Finding>,
}

/// A replacement that mends an expression.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct FixIt {
    /// What is replaced; empty to insert. Absent where the way out is no change of a text.
    pub span: Option<Place>,
    /// By what.
    pub replacement: String,
    /// What it does, as a short imperative.
    pub label: String,
}

/// An error or a warning about an expression.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Finding {
    /// Stable, listed in SYNTAX.md, or `over_budget`.
    pub code: String,
    /// `error` or `warning`.
    #[schema(value_type = words::Severity)]
    pub severity: &'static str,
    /// Where in the expression.
    pub span: Place,
    /// One sentence for a person.
    pub message: String,
    /// A second place that takes part, with what it is.
    pub second: Option<Second>,
    /// Ways out, the likeliest first.
    pub fixes: Vec<FixIt>,
}

/// A second place that takes part in a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Second {
    /// Where in the expression.
    pub span: Place,
    /// What it is.
    pub message: String,
}

impl Finding {
    /// Diagnostics of an expression.
    pub(super) fn all(found: &[Diagnostic], text: &str) -> Vec<Self> {
        let places = Places::of(text);
        found.iter().map(|found| Self::of(found, &places)).collect()
    }

    fn of(found: &Diagnostic, places: &Places<'_>) -> Self {
        let fix = |fix: &tweetfilter_core::syntax::Fix| FixIt {
            span: Some(places.at(fix.span)),
            replacement: fix.replacement.clone(),
            label: fix.label.clone(),
        };
        let second =
            |(span, message): &(Span, String)| Second { span: places.at(*span), message: message.clone() };
        Self {
            code: found.code.to_owned(),
            severity: match found.severity {
                Severity::Warning => "warning",
                Severity::Error => "error",
            },
            span: places.at(found.span),
            message: found.message.clone(),
            second: found.second.as_ref().map(second),
            fixes: found.fixes.iter().map(fix).collect(),
        }
    }
}

/// Why a request is not answered with data.
#[derive(Clone, Debug)]
pub struct ApiError {
    status: StatusCode,
    body: Box<ErrorBody>,
    retry_after: Option<u64>,
}

/// What handlers return.
pub(super) type Result<T, E = ApiError> = std::result::Result<T, E>;

impl ApiError {
    /// An error with a way out in its message.
    pub(super) fn new(status: StatusCode, code: &str, message: impl Into<String>) -> Self {
        let body = ErrorBody {
            code: code.to_owned(),
            message: message.into(),
            span: None,
            fixes: Vec::new(),
            diagnostics: Vec::new(),
        };
        Self { status, body: Box::new(body), retry_after: None }
    }

    /// The request is not what the route takes.
    pub(super) fn bad(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_request", message)
    }

    /// There is no such thing, or it is somebody else's: the two are not told apart.
    pub(super) fn missing(what: impl std::fmt::Display) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", format!("There is no {what}"))
    }

    /// A mistake of ours; the panic itself is logged.
    pub(super) fn broken() -> Self {
        let message = "Something broke here, and it is not your fault; it was logged";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", message)
    }

    /// Come back after so many seconds.
    pub(super) fn after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds.max(1));
        self
    }

    /// The store does not answer.
    pub(super) fn away(why: impl std::fmt::Display) -> Self {
        let message = format!("The store is away: {why}. Nothing is lost; try again");
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "store_away", message).after(2)
    }

    /// The store is there, but did not come to this.
    pub(super) fn busy(why: impl std::fmt::Display) -> Self {
        let message = format!("The store is busy: {why}");
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "store_busy", message).after(2)
    }

    /// An expression is not one.
    pub(super) fn expression(found: &[Diagnostic], text: &str) -> Self {
        let findings = Finding::all(found, text);
        let first = findings.iter().find(|found| found.severity == "error").or(findings.first());
        let mut error =
            Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_filter", "The filter is invalid");
        if let Some(first) = first {
            error.body.code.clone_from(&first.code);
            error.body.message.clone_from(&first.message);
            error.body.span = Some(first.span);
            error.body.fixes.clone_from(&first.fixes);
        }
        error.body.diagnostics = findings;
        error
    }

    /// Whether an expression is what is wrong.
    pub(super) fn is_of_filter(&self) -> bool {
        !self.body.diagnostics.is_empty()
    }

    /// What was found of an expression.
    pub(super) fn into_findings(self) -> Vec<Finding> {
        self.body.diagnostics
    }

    /// As it is answered.
    pub(super) fn into_answer(self) -> Refused {
        Refused { summary: Summary::new(self.body.message.clone()), data: (), error: *self.body }
    }

    /// What it says.
    pub(super) fn body(&self) -> &ErrorBody {
        &self.body
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Refused(why) => Self::new(StatusCode::UNPROCESSABLE_ENTITY, "refused", why),
            StoreError::OverBudget(over) => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "over_budget", over.to_string())
            }
            StoreError::Away(why) => Self::away(why),
            StoreError::Retry(why) => Self::busy(format_args!("{why}. Nothing was changed; try again")),
            error => {
                tracing::error!(%error, "the store is unfit");
                Self::away(error)
            }
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (status, retry_after) = (self.status, self.retry_after);
        let mut response = (status, Json(self.into_answer())).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
