//! What is wrong or doubtful in an expression, as it is typed.

use std::sync::Arc;

use axum::extract::State;
use serde::{Deserialize, Serialize};
use tweetfilter_core::budget::{OverBudget, Price};
use tweetfilter_core::explain::CostClass;
use tweetfilter_core::syntax::{Diagnostic, Note, differences_from_x, lost_in_native, spellings, to_native};
use tweetfilter_core::{Dialect, Expression, Span};
use tweetfilter_sql::Unsaved;
use tweetfilter_stream::store::StoreError;
use tweetfilter_stream::worker::OVER_BUDGET;
use utoipa::ToSchema;

use super::Api;
use super::answer::{Answer, Finding, Refused, Result, Summary};
use super::caller::Caller;
use super::expression::{Compiled, Surroundings};
use super::extract::Body;
use super::filters::own;
use super::handles::UnknownHandles;
use super::place::{Place, Places};
use super::turns::Work;
use super::words;

/// Parts that are named, of those from which the cost of an expression follows.
const REASONS: usize = 100;

/// An expression to check.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckFilter {
    /// The expression.
    pub text: String,
    /// `native` or `x`.
    #[serde(default)]
    #[schema(value_type = words::Dialect)]
    pub dialect: Dialect,
    /// The number of the account's filter in whose place it would be kept, which then costs nothing beside it.
    #[serde(default)]
    pub filter: Option<i64>,
    /// Whether it would be used, since what is not costs nothing; without it as that filter is, and a new one is.
    #[serde(default)]
    pub enabled: Option<bool>,
}

/// What there is to say of an expression.
#[derive(Debug, Serialize, ToSchema)]
pub struct Checked {
    /// Whether it can be kept: it has no error, and beside the account's other filters it costs no more than they may cost
    /// together.
    pub valid: bool,
    /// Errors and warnings, in order of place.
    pub diagnostics: Vec<Finding>,
    /// How it is written in the shortest usual way.
    pub canonical: Option<String>,
    /// `indexed`: tried only on posts that hold one of its terms; `guarded`: on those that hold a literal of its
    /// substrings or regexes; `scanned`: on every post, or a set that it names is.
    pub cost: Option<&'static str>,
    /// The parts from which the cost follows; of many the first hundred.
    pub cost_reasons: Vec<Place>,
    /// How many more there are.
    pub more_cost_reasons: usize,
    /// Of dialect `x`: what is known to differ from X.
    pub differs_from_x: Vec<Remark>,
    /// Of dialect `x`: as much in the native language, where that is written in another way.
    pub native: Option<String>,
    /// … but for this.
    pub lost_in_native: Vec<Remark>,
    /// Handles in it that stand for nobody. Null where there are none, or Bluesky plays no part on this server.
    pub unknown_handles: Option<UnknownHandles>,
}

/// Something to know about a part of an expression.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Remark {
    /// The part.
    pub span: Place,
    /// One sentence.
    pub message: String,
}

/// An operator of the language.
#[derive(Debug, Serialize, ToSchema)]
pub struct Operator {
    /// Its name, without colon; `attr` is written `attr.NAME`.
    pub name: &'static str,
    /// Other names.
    pub aliases: &'static [&'static str],
    /// Its values, if they come from a fixed list.
    pub values: Vec<&'static str>,
}

/// Says what is wrong or doubtful in an expression. An invalid one is no error of the request.
#[utoipa::path(post, path = "/check", operation_id = "check_expression", tag = "expressions", request_body = CheckFilter,
    responses((status = 200, body = Answer<Checked>),
        (status = 404, body = Refused, description = "`filter` is none of the account's")))]
pub(super) async fn check(
    State(api): State<Api>,
    mut caller: Caller,
    Body(CheckFilter { text, dialect, filter, enabled }): Body<CheckFilter>,
) -> Result<Answer<Checked>> {
    if let Some(id) = filter {
        own(&api, &caller, id).await?;
    }
    let surroundings = api.surroundings(caller.until, caller.account(), caller.pulse.revision).await?;
    let read = surroundings.clone();
    let (mut checked, compiled) =
        api.aside(Work::Reading, move || Checked::of(&read, &text, dialect)).await?;
    caller.renew(&api);
    if let Some(compiled) = &compiled {
        checked.refuse(too_dear(&api, &mut caller, &surroundings, compiled, (filter, enabled)).await?);
    }
    let unknown_handles = match compiled {
        Some(compiled) => UnknownHandles::of(&api, &mut caller, &Arc::new(compiled)).await?,
        None => None,
    };
    let checked = Checked { unknown_handles, ..checked };
    let mut summary = match checked.diagnostics.iter().find(|found| found.severity == "error") {
        Some(error) => error.message.clone(),
        None if checked.diagnostics.is_empty() => "Valid".to_owned(),
        None => format!("Valid, with {}", Summary::counted(checked.diagnostics.len(), "warning").text),
    };
    if let Some(unknown) = &checked.unknown_handles {
        summary.push_str(&format!("; {}", unknown.said()));
    }
    Ok(Answer::new(Summary::new(summary), checked))
}

/// What is wrong with an expression that costs more, beside the account's other filters, than they may together.
async fn too_dear(
    api: &Api,
    caller: &mut Caller,
    surroundings: &Surroundings,
    Compiled { expression, price, .. }: &Compiled,
    (replaces, enabled): (Option<i64>, Option<bool>),
) -> Result<Option<Finding>> {
    let database = api.database();
    if database.owner_budget() == Price::MAX {
        return Ok(None);
    }
    let prices = surroundings.prices(api, caller).await?;
    let unsaved = Unsaved { replaces, enabled, expression, price: *price };
    let held = async {
        match database.fits_beside(caller.account(), &prices, surroundings.known(), &unsaved).await {
            Err(StoreError::OverBudget(over)) => Ok(Some(over)),
            held => held.map(|()| None),
        }
    };
    let over = api.ask(caller.until, held).await?;
    let whole = Span::from(0..expression.text().len());
    let said = |over: Box<OverBudget>| Diagnostic::error(OVER_BUDGET, whole, over.to_string());
    Ok(over.and_then(|over| Finding::all(&[said(over)], expression.text()).pop()))
}

impl Checked {
    /// Takes in an error that the text itself does not tell.
    fn refuse(&mut self, error: Option<Finding>) {
        self.valid &= error.is_none();
        self.diagnostics.extend(error);
    }

    /// What the text itself says, and what it is compiled to if it is valid.
    fn of(surroundings: &Surroundings, text: &str, dialect: Dialect) -> (Self, Option<Compiled>) {
        match surroundings.compile(text, dialect) {
            Ok(compiled) => (Self::valid(&compiled, text, dialect), Some(compiled)),
            Err(found) => (Self::invalid(&found, text), None),
        }
    }

    fn invalid(found: &[Diagnostic], text: &str) -> Self {
        Self {
            valid: false,
            diagnostics: Finding::all(found, text),
            canonical: None,
            cost: None,
            cost_reasons: Vec::new(),
            more_cost_reasons: 0,
            differs_from_x: Vec::new(),
            native: None,
            lost_in_native: Vec::new(),
            unknown_handles: None,
        }
    }

    fn valid(compiled: &Compiled, text: &str, dialect: Dialect) -> Self {
        let expression = &compiled.expression;
        let (class_of, reasons) = compiled.set.cost(0).map(|cost| (class(cost.class), cost.reasons)).unzip();
        let reasons = reasons.unwrap_or_default();
        let places = Places::of(text);
        let from_x = dialect == Dialect::X;
        Self {
            valid: true,
            diagnostics: Finding::all(expression.warnings(), text),
            canonical: Some(expression.to_string()),
            cost: class_of,
            cost_reasons: reasons.iter().take(REASONS).map(|span| places.at(*span)).collect(),
            more_cost_reasons: reasons.len().saturating_sub(REASONS),
            differs_from_x: if from_x { remarks(differences_from_x(expression), text) } else { Vec::new() },
            native: from_x.then(|| native(expression)).flatten(),
            lost_in_native: if from_x { remarks(lost_in_native(expression), text) } else { Vec::new() },
            unknown_handles: None,
        }
    }
}

/// All operators, for completion.
#[utoipa::path(get, path = "/operators", operation_id = "list_operators", tag = "expressions", responses((status = 200, body = Answer<Vec<Operator>>)))]
pub(super) async fn operators(_: Caller) -> Answer<Vec<Operator>> {
    let all: Vec<_> = spellings()
        .map(|found| Operator { name: found.name, aliases: found.aliases, values: found.values })
        .collect();
    Answer::new(Summary::counted(all.len(), "operator"), all)
}

pub(super) fn class(class: CostClass) -> &'static str {
    match class {
        CostClass::Indexed => "indexed",
        CostClass::Guarded => "guarded",
        CostClass::Scanned => "scanned",
    }
}

pub(super) fn remarks(notes: Vec<Note>, text: &str) -> Vec<Remark> {
    let places = Places::of(text);
    notes.into_iter().map(|note| Remark { span: places.at(note.span), message: note.message }).collect()
}

/// The native expression that reads as much, where it is another.
pub(super) fn native(expression: &Expression) -> Option<String> {
    let spelled = to_native(expression);
    (spelled.root() != expression.root()).then(|| spelled.to_string())
}
