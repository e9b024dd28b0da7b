//! Filters from elsewhere: own JSON, X's /rules, Mastodon's filters, plain words.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use tweetfilter_core::budget::OverBudget;
use tweetfilter_sql::{Basis, FilterRow, NewFilter, Save, Saved};
use tweetfilter_stream::store::{Action, StoreError};
use utoipa::ToSchema;

use super::Api;
use super::answer::{Answer, ApiError, Finding, Refused, Result, Summary};
use super::caller::Caller;
use super::coming::{Candidate, ImportedFilter, beside};
use super::expression::Surroundings;
use super::extract::Body;
use super::filters::too_many;
use super::turns::Work;
use super::words;
use crate::import::{FilterFile, Format, Malformed, UNREADABLE, read_filters, read_words};
use crate::incoming::{Incoming, State as Held, against, summary};
use crate::names::{FILTER_NAME, fits};
use crate::parts::now;

/// Filters of one import.
const MOST: usize = 1_000;
/// How often it is begun anew since the account's filters were changed meanwhile.
const TRIES: usize = 5;
/// How long the store may take for each, beside what it may take for any request.
const EACH: Duration = Duration::from_millis(5);
/// Its lines: a list of words for one filter, or JSON over many lines, may have more of them than filters.
const MOST_LINES: usize = 50_000;

/// What filters are written in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Found out by the content: any but `words`.
    #[default]
    Auto,
    /// One JSON object a line: `{"id","filter","owner"?,"name"?,"dialect"?,"action"?,"enabled"?,"expires_at"?}`.
    Filters,
    /// The JSON of X's `/2/tweets/search/stream/rules` or PowerTrack.
    X,
    /// The JSON of Mastodon's `/api/v2/filters`.
    Mastodon,
    /// One expression a line.
    Plain,
    /// One word or phrase a line, in which nothing is an operator.
    Words,
}

/// Filters to import.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Import {
    /// What is in the file.
    pub content: String,
    /// What it is written in.
    #[serde(default)]
    pub format: Kind,
    /// What a match of a new filter does, where the file does not say: `show`, `hide`, `highlight` or `notify`.
    #[serde(default)]
    #[schema(value_type = words::Action)]
    pub action: Action,
    /// Of `words`: one filter that any of them satisfies.
    #[serde(default)]
    pub together: bool,
    /// Take only the filters whose `owner` the file says is this one.
    #[serde(default)]
    pub owner: Option<String>,
    /// Keep them. Without it nothing changes, and the answer says what would.
    #[serde(default)]
    pub apply: bool,
    /// Leave out what is invalid, instead of keeping nothing.
    #[serde(default)]
    pub keep_going: bool,
}

/// What comes in with an import, or would.
#[derive(Debug, Serialize, ToSchema)]
pub struct Imported {
    /// What the file is written in.
    pub format: Kind,
    /// Whether anything was kept.
    pub applied: bool,
    /// Its filters, in its order.
    pub filters: Vec<ImportedFilter>,
    /// Valid ones of them whose `owner` the file says is another than this account; they come in as this account's.
    pub of_others: usize,
    /// Filters that were left out, since the file does not say that they are of the `owner` who was asked for, or since they
    /// are more than an import may have.
    pub left_out: usize,
    /// Whose filters the file says it has, in order of their names, also those that were left out: what `owner` may be. Of
    /// more than a thousand the first.
    pub owners: Vec<FileOwner>,
}

/// Somebody whose filters are in a file, as it says.
#[derive(Debug, Serialize, ToSchema)]
pub struct FileOwner {
    /// What the file calls them.
    pub name: String,
    /// How many filters of theirs it has.
    pub filters: usize,
}

/// Imports filters, or says what would come in and what would differ. What can't be kept is refused either way: filters
/// that would be too many, or would cost too much a post together with the account's others. Where some are invalid nothing is
/// kept (`invalid_filters`), and without `apply` the answer says which, but not what the others would cost; `keep_going` leaves
/// them out.
///
/// All of them are kept, or with an error none. Of a filter that is there only what the file says is changed: X's form, say,
/// knows neither actions nor expiries, and leaves them as they are; another text that comes in it is of dialect x. Sent again,
/// it changes nothing: a filter of which all is so already is not added. A filter that has ended comes in switched off, with a warning (`already_expired`).
///
/// What one of Mastodon's filters does there and does not do here is a warning of it: where it holds (`context`), single
/// posts (`single_posts`), and that it warns (`only_warns`) or blurs (`only_blurs`) where here it would hide. A new one that
/// holds in no timeline there comes in switched off, and one that blurs does not hide but does `action`.
///
/// A filter of the file that is not as its format asks (Mastodon's filters of single posts, say, which have no keywords) is
/// `invalid` as one is whose expression is wrong, and its diagnostic `unreadable` says why; where none is as it must be, the
/// file is refused.
///
/// A file may hold filters of many owners, as those of `tweetfilter match` do. All come in as this account's, and the answer says how many
/// the file says are of others, and whose filters there are (`owners`); with `owner` only those of one come in. One that has more
/// filters than an import may have is refused with `apply`; without, the answer has none of them, and says whose they are.
#[utoipa::path(post, path = "/import", operation_id = "import_filters", tag = "filters", request_body = Import,
    responses((status = 200, body = Answer<Imported>), (status = 412, body = Refused,
            description = "Somebody changes the filters of the account all the while"),
        (status = 422, body = Refused)))]
pub(super) async fn import(
    State(api): State<Api>,
    mut caller: Caller,
    Body(import): Body<Import>,
) -> Result<Answer<Imported>> {
    let lines = import.content.lines().filter(|line| !line.trim().is_empty()).count();
    if lines > MOST_LINES {
        return Err(ApiError::bad(format!(
            "An import has at most {MOST_LINES} lines, this one {lines}; split it"
        )));
    }
    let reading = api.alone(caller.account(), Work::Lists, move || {
        let read = read(&import);
        (import, read)
    });
    let (import, read) = reading.await.map_err(|_| broke_off())?;
    let (mut file, kind) = read?;
    caller.renew(&api);
    let owners = owners(&file);
    let left_out = import.owner.as_deref().map_or(0, |owner| file.keep_owner(owner));
    let many = file.filters.len();
    // Whoever only looks sees whose they are, if those of one would be fewer.
    let may_choose = !import.apply && owners.iter().any(|one| one.filters < left_out + many);
    if many > MOST && !may_choose {
        return Err(ApiError::bad(too_many_in(many)));
    }
    if many > MOST {
        let (filters, left_out) = (Vec::new(), left_out + many);
        let imported = Imported { format: kind, applied: false, filters, of_others: 0, left_out, owners };
        return Ok(Answer::new(Summary { count: Some(0), ..Summary::new(too_many_in(many)) }, imported));
    }
    let database = api.database();
    let surroundings = api.surroundings(caller.until, caller.account(), caller.pulse.revision).await?;
    let (file, mut until) = (Arc::new(file), caller.until);
    for _ in 0..TRIES {
        let rows = api.ask(until, database.account_filters(caller.account())).await?;
        let (basis, count) = (Basis::of(&rows), rows.len());
        let mut candidates = held(&api, caller.account(), &file, rows, import.action, &surroundings).await?;
        if import.apply {
            are_valid(&candidates, import.keep_going)?;
            if !keep(&api, &mut caller, &mut candidates, basis).await? {
                until = api.until();
                continue;
            }
        } else if are_valid(&candidates, import.keep_going).is_ok() {
            would_fit(&api, &mut caller, &candidates, count).await?;
        }
        let (text, of_others) = told(&candidates, &import, &caller.token.account_name, left_out);
        let filters: Vec<_> = candidates.into_iter().map(|candidate| candidate.shown).collect();
        let summary = Summary { count: Some(filters.len()), ..Summary::new(text) };
        let applied = import.apply;
        let imported = Imported { format: kind, applied, filters, of_others, left_out, owners };
        return Ok(Answer::new(summary, imported));
    }
    let message = "Somebody changes the filters of this account all the while; nothing was kept. Try again";
    Err(ApiError::new(StatusCode::PRECONDITION_FAILED, "changed_meanwhile", message))
}

/// The filters of a file, held against those that are there.
async fn held(
    api: &Api,
    account: i64,
    file: &Arc<FilterFile>,
    rows: Vec<FilterRow>,
    action: Action,
    surroundings: &Arc<Surroundings>,
) -> Result<Vec<Candidate>> {
    let (file, surroundings) = (file.clone(), surroundings.clone());
    // A thousand filters take a while to compile.
    let candidates = api.alone(account, Work::Lists, move || {
        let coming = against(&file, &rows, action, now());
        coming.into_iter().map(|incoming| candidate(incoming, &surroundings)).collect::<Vec<_>>()
    });
    candidates.await.map_err(|_| broke_off())
}

fn candidate(incoming: Incoming, surroundings: &Surroundings) -> Candidate {
    let mut candidate = Candidate::new(incoming);
    let fault = candidate.incoming.fault.clone();
    if let Some(fault) = fault {
        candidate.refuse(vec![beside(UNREADABLE, "error", fault)]);
        return candidate;
    }
    let NewFilter { name, text, dialect, .. } = &candidate.incoming.filter;
    let named = match candidate.incoming.state {
        // What is there stays.
        Held::Same => Ok(()),
        Held::New | Held::Differs => fits(name, "a filter", FILTER_NAME),
    };
    match (surroundings.compile(text, *dialect), named) {
        (Ok(_), Err(said)) => {
            let message = format!("Its name does not fit: {said}");
            candidate.refuse(vec![beside("name_long", "error", message)]);
        }
        (Ok(compiled), Ok(())) => candidate.note(&compiled.expression),
        (Err(found), _) => {
            let found = Finding::all(&found, text);
            candidate.refuse(found);
        }
    }
    candidate
}

/// Refuses an import of which some is invalid, unless that is to be left out.
fn are_valid(candidates: &[Candidate], keep_going: bool) -> Result<()> {
    let invalid = candidates.iter().filter(|one| !one.is_valid()).count();
    let Some(first) = candidates.iter().find(|one| !one.is_valid()).filter(|_| !keep_going) else {
        return Ok(());
    };
    let message = format!(
        "{invalid} of {} filters are invalid, the first in line {}; nothing was kept. `keep_going` leaves them out",
        candidates.len(),
        first.shown.line
    );
    Err(ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_filters", message))
}

/// Whose filters a file says it has.
fn owners(file: &FilterFile) -> Vec<FileOwner> {
    let named = file.owners().into_iter().take(MOST);
    named.map(|(name, filters)| FileOwner { name: name.to_owned(), filters }).collect()
}

fn too_many_in(many: usize) -> String {
    format!(
        "An import has at most {MOST} filters, and this one {many}: split it, or take those of one owner, if it names some"
    )
}

/// What is said of an import, and how many of what comes in the file says are of others.
fn told(candidates: &[Candidate], import: &Import, account: &str, left_out: usize) -> (String, usize) {
    let valid = || candidates.iter().filter(|one| one.is_valid()).map(|one| &one.incoming);
    let mut text = summary(valid().map(|one| one.state), candidates.len() - valid().count(), import.apply);
    let owners = valid().filter_map(|one| one.owner.as_deref());
    let others: Vec<_> = owners.filter(|owner| *owner != account).collect();
    match others.as_slice() {
        [] => {}
        [one] => text.push_str(&format!("; 1 is of another owner, {one}, and taken as yours")),
        [first, ..] => {
            text.push_str(&format!("; {} are of others, such as {first}, and taken as yours", others.len()));
        }
    }
    if let Some(owner) = import.owner.as_deref().filter(|_| left_out > 0) {
        text.push_str(&format!("; {left_out} left out, which the file does not say are of {owner}"));
    }
    (text, others.len())
}

fn broke_off() -> ApiError {
    ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "The import broke off; nothing was kept")
}

fn read(import: &Import) -> Result<(FilterFile, Kind)> {
    if import.format == Kind::Words {
        return Ok((read_words(&import.content, import.together), Kind::Words));
    }
    let malformed = |malformed: Malformed| {
        ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "malformed", malformed.to_string())
    };
    let file = read_filters(&import.content).map_err(malformed)?;
    let faults = file.faults();
    // Rather another kind of file than filters of which some are wrong.
    if faults.len() > MOST {
        return Err(malformed(Malformed { faults }));
    }
    let kind = match file.format {
        Format::Ndjson => Kind::Filters,
        Format::XJson => Kind::X,
        Format::Mastodon => Kind::Mastodon,
        Format::Plain => Kind::Plain,
        Format::Words => Kind::Words,
    };
    if import.format != Kind::Auto && import.format != kind {
        let message =
            format!("This is written as {kind:?}, not as {:?}; say so, or leave `format` out", import.format);
        return Err(ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "malformed", message));
    }
    Ok((file, kind))
}

/// Refuses, as keeping them would and in this order, filters that would cost too much, or of which there would be too many,
/// beside those of the account.
async fn would_fit(api: &Api, caller: &mut Caller, candidates: &[Candidate], held: usize) -> Result<()> {
    let saves = candidates.iter().filter_map(|one| Some((one.shown.line, one.save()?)));
    let (lines, saves): (Vec<_>, Vec<_>) = saves.unzip();
    if saves.is_empty() {
        return Ok(());
    }
    let more = EACH * u32::try_from(saves.len()).unwrap_or(u32::MAX);
    let (database, account) = (api.database(), caller.account());
    let fitting = async {
        match database.filters_fit(account, &saves).await {
            Err(StoreError::OverBudget(over)) => Ok(Err(over)),
            fits => fits.map(Ok),
        }
    };
    let fits = api.keep(caller, more, fitting).await?;
    fits.map_err(|over| too_dear(&over, &saves, &lines, "Nothing would be kept"))?;
    let (new, most) = (new(&saves), api.options().filters);
    match new > 0 && held.saturating_add(new) > most {
        true => Err(too_many(held, new, most)),
        false => Ok(()),
    }
}

/// How many of them are new.
fn new(saves: &[Save<'_>]) -> usize {
    saves.iter().filter(|save| save.replaces.is_none()).count()
}

/// Says in which lines the filters stand that are too dear.
fn too_dear(over: &OverBudget, saves: &[Save<'_>], lines: &[usize], so: &str) -> ApiError {
    let dear = |save: &Save<'_>| over.dearest.iter().any(|dear| dear.text == save.filter.text);
    let lines = saves.iter().zip(lines).filter(|(save, _)| dear(save));
    let lines: Vec<_> = lines.map(|(_, line)| line.to_string()).collect();
    let from = if lines.is_empty() { String::new() } else { format!(" (line {})", lines.join(", ")) };
    let message = format!("{over}\n{so}{from}");
    ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "over_budget", message)
}

/// Keeps all filters of an import that are new or differ, or none of them. False if the account's filters are others by now.
async fn keep(api: &Api, caller: &mut Caller, candidates: &mut [Candidate], basis: Basis) -> Result<bool> {
    let saves: Vec<_> = candidates.iter().enumerate().filter_map(|(n, one)| Some((n, one.save()?))).collect();
    if saves.is_empty() {
        return Ok(true);
    }
    let (places, saves): (Vec<_>, Vec<_>) = saves.into_iter().unzip();
    let lines: Vec<_> = places.iter().map(|place| candidates[*place].shown.line).collect();
    let more = EACH * u32::try_from(saves.len()).unwrap_or(u32::MAX);
    let (most, database, account) = (api.options().filters, api.database(), caller.account());
    let saving = async {
        match database.save_filters_on(account, &saves, most, Some(basis)).await {
            Err(StoreError::OverBudget(over)) => Ok(Err(over)),
            saved => saved.map(Ok),
        }
    };
    let ids = match api.keep(caller, more, saving).await? {
        Ok(Saved::Done(ids)) => ids,
        Ok(Saved::TooMany(held)) => return Err(too_many(held, new(&saves), most)),
        Ok(Saved::Others | Saved::Missing(_) | Saved::Meanwhile(..)) => return Ok(false),
        Err(over) => return Err(too_dear(&over, &saves, &lines, "Nothing was kept")),
    };
    for (place, id) in places.into_iter().zip(ids) {
        candidates[place].shown.id = Some(id);
    }
    Ok(true)
}
