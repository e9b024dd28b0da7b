//! What was taken back of what was shown before, for whoever follows without a stream.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use tweetfilter_sql::Withdrawn;
use utoipa::{IntoParams, ToSchema};

use super::Api;
use super::answer::{Answer, Refused, Result, Summary};
use super::caller::Caller;
use super::extract::Query;

/// Commits that an answer looks at.
const REACH: i64 = 512;

/// From where on is asked.
#[derive(Debug, Deserialize, IntoParams, ToSchema)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct WithdrawnQuery {
    /// Behind this commit: the `commit` that an answer named before.
    #[serde(default)]
    #[param(default = 0)]
    pub after: i64,
}

/// What commits took back of what the account saw before them.
#[derive(Debug, Serialize, ToSchema)]
pub struct TakenBack {
    /// All up to this commit is told: ask again behind it, at once if it is not the last one yet.
    pub commit: i64,
    /// What commits before this one took back is not known any more, and what they brought is not told: ask for timelines
    /// again. Null if nothing is missing.
    pub missed_before: Option<i64>,
    /// Each commit that took something back, in their order.
    pub commits: Vec<TakenByCommit>,
}

/// What a commit took back.
#[derive(Debug, Serialize, ToSchema)]
pub struct TakenByCommit {
    /// Its number.
    pub commit: i64,
    /// Numbers of posts that were deleted, withheld or edited: let go of what was got before this commit.
    pub posts: Vec<i64>,
    /// Of whom nothing may be shown any more, nor what carries something by them.
    pub authors: Vec<OfNetwork>,
    /// Numbers of posts that lost a part, such as a quoted post: ask for them again.
    pub changed: Vec<i64>,
}

/// An author, by the id that a network gave.
#[derive(Debug, Serialize, ToSchema)]
pub struct OfNetwork {
    /// The network.
    pub network: String,
    /// The id there.
    pub id: String,
}

impl OfNetwork {
    /// Those of pairs of network and id.
    pub(super) fn all(pairs: &[(String, String)]) -> Vec<Self> {
        pairs.iter().map(|(network, id)| Self { network: network.clone(), id: id.clone() }).collect()
    }
}

impl From<Withdrawn> for TakenByCommit {
    fn from(Withdrawn { commit, removed, changed, authors }: Withdrawn) -> Self {
        Self { commit, posts: removed, authors: OfNetwork::all(&authors), changed }
    }
}

/// What was deleted, withheld or edited, or lost a part, since a commit: what `/live` tells as `removed` and `changed`, for
/// whoever can't have a stream and asks now and then.
#[utoipa::path(get, path = "/withdrawn", operation_id = "list_withdrawn", tag = "posts", params(WithdrawnQuery),
    responses((status = 200, body = Answer<TakenBack>), (status = 400, body = Refused)))]
pub(super) async fn withdrawn(
    State(api): State<Api>,
    caller: Caller,
    Query(query): Query<WithdrawnQuery>,
) -> Result<Answer<TakenBack>> {
    let last = caller.pulse.commit;
    // A number that was never given is of a store that was put back to an earlier state.
    let after = query.after.clamp(0, last);
    let commit = last.min(after + REACH);
    let (taken, first) =
        api.ask(caller.until, api.database().taken_back(caller.account(), after, commit)).await?;
    let summary = Summary::counted(taken.len(), "commit");
    let commits = taken.into_iter().map(TakenByCommit::from).collect();
    let missed_before = (first > after + 1).then_some(first);
    // Of commits that are forgotten nothing is left to be told.
    let commit = commit.max(missed_before.map_or(commit, |first| first - 1)).min(last);
    Ok(Answer::new(summary, TakenBack { commit, missed_before, commits }))
}
