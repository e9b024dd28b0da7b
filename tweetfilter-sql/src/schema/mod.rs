//! The tables, for both databases. What each column means:
//!
//! | table | holds |
//! |---|---|
//! | `migration` | the steps that brought the tables here, by number (`step`), with their names, the `checksum` of their statements, and when each was done (`at`) |
//! | `state` | counters by name: the last `commit` and `post` number, the `revision` of accounts and filters, `tombstones`, `tombstones_dropped`, `forgotten_for_room`, `forgotten_up_to` and `forgotten_at` (posts that were forgotten early since the disk was short, when the newest of them was received, and when the last were forgotten), `probe` (when somebody last tried whether the store takes writes), `profiles` (the commit up to which authors were noted for `profile`), `rewritten` (how often timelines were changed without a commit: by a look back, since something was forgotten, or is not withheld any more), `part of NETWORK` where a source of one was read, `installation` (a number at random that tells this store from all others, once a feed was read or a worker took its buffer on Redis), and the buffer's `buffer_entries`, `buffer_bytes`, `redelivered`, `gaps_dropped`, and `buffer_recounted_at` (when entries and bytes were counted anew last, since what was counted could not be so) |
//! | `account` | users of this system: `id`, unique `name`; what was received for this name before `created_at` was for another |
//! | `removed_account` | accounts that are no more and of which something may still stand in `delivery_pack` and `matches`: when each was removed, and when to look for that again |
//! | `identity` | who an account is on a network: `native_id` or `handle`, the other may be empty |
//! | `follow` | whom an account follows: network and id or handle of the `author` (`@123` is a handle, `123` an id); `origin` is `own` if said here, `network` if the network said it |
//! | `friend_list` | when it was said last whom an `account` follows on a network |
//! | `filter` | `position` orders those of an account; `dialect` native or x; `action` show, hide, highlight or notify; `expires_at` in milliseconds; `revision` of its last change |
//! | `named_set` | lists that all filters know: `terms`, one a line |
//! | `account_set` | the same of one `account`, whose filters know no other of this name |
//! | `post` | `num` in order of storing; `(network, native_id)` unique; `version` 0 or when an edit was made, in milliseconds, as the network says or else when it was received; `since` the commit that stored this version; `audience` a JSON array of the accounts that have it, all who got any version, with a minus where it was not sent to them and only a filter of theirs matched what everybody sees; `created_at` when the post was written, as the network says, null if it does not; `received_at` when it was received first; `source` the name of the source that it came from; `is_public` 1 if everybody sees it; `version_at` when the content of this version was received; `body` the post as `{"v":1,"post":{…}}`, null once deleted or expired; `withheld` a JSON array of countries; `deleted` when |
//! | `carried` | which originals a retweet or quote carries: their network and id, their author, and the `post` that carries them |
//! | `placed` | which posts, carried ones included, have coordinates or a place: of which author, under which id, and the `post` that holds them |
//! | `delivery_pack` | what an account got with a commit: `items` is a JSON array of `[post, verdict, [filter, …]]`, where a verdict adds up 1 hidden, 2 highlighted, 4 notify; `revision` of the filters |
//! | `delivery_span` | SQLite only: in which spans of 256 commits an account has packs, instead of an index that each commit would touch in as many places as it has accounts |
//! | `matches` | one row for each filter that matched a post |
//! | `commit_log` | when each commit was made; numbers have no gaps |
//! | `tombstone` | deleted posts, so that later copies are kept out; an empty network stands for any but x and bluesky |
//! | `withheld` | posts withheld in `countries`, an empty array if no longer in any; `said_at` when the network said so: what is older changes nothing |
//! | `author` | what was said of an author: posts up to `scrub_up_to` have no place, `withheld` countries, `inactive` for which `status`, the last of those that keep it back; in `states`, a JSON object, by reason when something was said of it and whether it keeps the author back, where the empty one is all; `status_at`, `withheld_at` and `handle_at` when the last of each was said: what is older changes nothing |
//! | `handle` | handles that filters, identities or follows name: `author_id` whose it is, null as long as nobody's; `asked_at` when that was asked, 0 if it is to be asked at once |
//! | `named_handle` | what names each `handle`, as a `scope`: the number of an account, or `{name}` of a list of all; `due_at` when it is to be asked for. An account whose filters name a list of all has `{name}` in the place of a handle, which is never due |
//! | `handle_scope` | the scopes, which take turns: `turn` numbers the last that it had; `digest` of all that it names, empty while that is being stated |
//! | `profile` | what is known of authors of whom posts give the id alone: `handle`, `name`; `wanted` while it is to be asked for; `asked_at` when it was, `claimed_at` when who asks began to |
//! | `outcome_count` | by source, what became of its posts: stored, suppressed, repeated, stale (of versions that a newer one replaced, or had replaced), dead (posts among the dead letters, or that were; no longer when they are put back into the buffer), strangers (viewers without an account), unmatched (not stored since no filter matched, where only others are kept); `last_at` when the newest of it was received, in milliseconds |
//! | `unacknowledged` | batches of entries of a buffer elsewhere that were committed and perhaps not acknowledged, by their first entry: their `entries`, and of one that is not committed as a whole what it `counts` up to now |
//! | `dead_letter` | what no attempt could store; `digest` of its bytes, and the post that it is about if that can be read |
//! | `dead_post` | which posts a dead letter holds, itself and within others: network, id and author |
//! | `gap` | messages of a source that never arrived, `from_at` until `to_at`, and when that was told (`told_at`, 0 if nobody knows): the newest 1,000 of each source; `state` counts older ones as `gaps_dropped`. What is missing of a buffer elsewhere has the source `(buffer)` |
//! | `source` | who reads a source under which fencing number until when, where to go on, and what was counted |
//! | `source_place` | of a source whose buffer is elsewhere, where it could be read on from a few seconds ago, and since when what was received was not done by then, or may have been lost with the buffer |
//! | `reapply` | looks back that did not come to their end: their name, the `digest` of the filters, their `revision`, and where they stand: `phase` 0 in the deliveries of `account` up to commit `place`, 1 in what everybody sees up to post `place` |
//! | `crash_event` | parts that ended without saying so |
//! | `sample` | how it was `at` a time, every 15 seconds for 7 days: a `host`, a process of the `name`, or the buffer (`kind`); `body` is a JSON object whose counts add up since the process began |
//! | `process` | processes that run parts, when each was last heard of (`at`), and the state of its parts as a JSON object |
//! | `token` | who may use the API: of an account, by the SHA-256 `digest` of its secret; `scope` read, write or admin. `state` counts revocations as `tokens` |
//! | `revoked_secret` | the `digest` of secrets of tokens and feeds that an account revoked, of which nothing is made again, and when (`at`): the newest 10,000 of each account |
//! | `token_use` | when a `token` was used last, give or take some minutes |
//! | `withdrawn_post` | posts that a commit deleted, withheld or replaced, or, if it `stays`, took a part of; `is_public` and `audience` as they were: who could see it before |
//! | `withdrawn_author` | authors of whom nothing is shown since a commit |
//! | `own_change` | the last change of an `account`'s reading positions, feeds and tokens; `state` counts them as `own` |
//! | `reading` | how far an account has read, by `place` |
//! | `feed` | the results of a `filter` at a secret address, by the `digest` of that |
//! | `buffer_entry`, `buffer_lease` | SQLite only: the embedded buffer, and who works on what |
//!
//! The view `shown` has the posts that may be shown: neither deleted nor withheld, nor by, nor carrying something by,
//! an author who is withheld or inactive. The view `delivery` unpacks the deliveries of these: `verdict` is the sum, and
//! `hidden`, `highlighted` and `notify` are 0 or 1. In `gap`, `missing` is how many messages are known not to have come,
//! null where nobody knows. Both databases keep times
//! in milliseconds since 1970.

pub(crate) mod maria;
pub(crate) mod sqlite;

/// A step: its name, and statements that do no harm when they are run again.
pub(crate) type Step = (&'static str, &'static [&'static str]);
