//! What is wrong, or doubtful, in an expression: data, never rendered text.

use crate::Span;

/// An error or warning about an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Diagnostic {
    /// Stable, snake_case, listed in SYNTAX.md.
    pub code: &'static str,
    /// Error or warning.
    pub severity: Severity,
    /// Where, in bytes of the expression.
    pub span: Span,
    /// One sentence for a person.
    pub message: String,
    /// A second place that takes part, with what it is.
    pub second: Option<(Span, String)>,
    /// Ways out, the likeliest first.
    pub fixes: Vec<Fix>,
}

/// How grave a [`Diagnostic`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "lowercase"))]
pub enum Severity {
    /// The expression means something, perhaps not what was meant.
    Warning,
    /// The expression is refused.
    Error,
}

/// A replacement that mends an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Fix {
    /// What is replaced; empty to insert.
    pub span: Span,
    /// By what.
    pub replacement: String,
    /// What it does, as a short imperative.
    pub label: String,
}

impl std::fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} at byte {} [{}]", self.message, self.span.start, self.code)
    }
}

impl std::error::Error for Diagnostic {}

impl Diagnostic {
    /// An error without second place and fixes.
    #[must_use]
    pub fn error(code: &'static str, span: Span, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: Severity::Error,
            span,
            message: message.into(),
            second: None,
            fixes: Vec::new(),
        }
    }

    /// A warning without second place and fixes.
    #[must_use]
    pub fn warning(code: &'static str, span: Span, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, span, message) }
    }

    /// Adds a second place.
    #[must_use]
    pub fn and_at(mut self, span: Span, message: impl Into<String>) -> Self {
        self.second = Some((span, message.into()));
        self
    }

    /// Adds a way out.
    #[must_use]
    pub fn fix(mut self, span: Span, replacement: impl Into<String>, label: impl Into<String>) -> Self {
        self.fixes.push(Fix { span, replacement: replacement.into(), label: label.into() });
        self
    }
}
