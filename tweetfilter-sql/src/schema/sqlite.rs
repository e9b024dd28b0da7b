//! The tables of SQLite.

use super::Step;

pub(crate) const STEPS: &[Step] = &[
    ("begin", BEGIN),
    ("look back", LOOK_BACK),
    ("own lists", OWN_LISTS),
    ("api", API),
    ("lookup", LOOKUP),
    ("samples", SAMPLES),
    ("unmatched", UNMATCHED),
    ("withdrawn", WITHDRAWN),
    ("versions", VERSIONS),
    ("dead posts", DEAD_POSTS),
    ("native ids", NATIVE_IDS),
    ("removal", REMOVAL),
    ("order of what is said", ORDER),
    ("last outcome", LAST_OUTCOME),
    ("reasons", REASONS),
    ("source places", SOURCE_PLACES),
    ("who names handles", NAMED_HANDLES),
    ("when gaps were told", GAPS_TOLD),
    ("revoked secrets", REVOKED_SECRETS),
];

const LOOK_BACK: &[&str] = &["CREATE TABLE IF NOT EXISTS reapply (
    name TEXT NOT NULL PRIMARY KEY, digest TEXT NOT NULL, revision INTEGER NOT NULL, phase INTEGER NOT NULL,
    account INTEGER NOT NULL, place INTEGER NOT NULL) WITHOUT ROWID"];

const OWN_LISTS: &[&str] = &["CREATE TABLE IF NOT EXISTS account_set (
    account INTEGER NOT NULL, name TEXT NOT NULL, terms TEXT NOT NULL, revision INTEGER NOT NULL,
    PRIMARY KEY (account, name)) WITHOUT ROWID"];

/// What the API keeps for accounts.
const API: &[&str] = &[
    "INSERT INTO state (name, value) VALUES ('tokens', 0), ('probe', 0) ON CONFLICT DO NOTHING",
    "CREATE TABLE IF NOT EXISTS token (
        id INTEGER PRIMARY KEY AUTOINCREMENT, account INTEGER NOT NULL, name TEXT NOT NULL,
        digest TEXT NOT NULL UNIQUE, scope TEXT NOT NULL, created_at INTEGER NOT NULL)",
    "CREATE TABLE IF NOT EXISTS reading (
        account INTEGER NOT NULL, place TEXT NOT NULL, commit_no INTEGER NOT NULL, post INTEGER NOT NULL,
        at INTEGER NOT NULL, PRIMARY KEY (account, place)) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS feed (
        id INTEGER PRIMARY KEY AUTOINCREMENT, account INTEGER NOT NULL, filter INTEGER NOT NULL,
        digest TEXT NOT NULL UNIQUE, created_at INTEGER NOT NULL)",
    "CREATE INDEX IF NOT EXISTS feed_account ON feed (account)",
];

/// What live streams are told besides deliveries, and when tokens were used.
const WITHDRAWN: &[&str] = &[
    "CREATE TABLE IF NOT EXISTS withdrawn_post (
        commit_no INTEGER NOT NULL, post INTEGER NOT NULL, stays INTEGER NOT NULL, is_public INTEGER NOT NULL,
        audience TEXT NOT NULL, PRIMARY KEY (commit_no, post)) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS withdrawn_author (
        commit_no INTEGER NOT NULL, network TEXT NOT NULL, author_id TEXT NOT NULL,
        PRIMARY KEY (commit_no, network, author_id)) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS own_change (account INTEGER PRIMARY KEY, no INTEGER NOT NULL)",
    "CREATE INDEX IF NOT EXISTS own_change_no ON own_change (no)",
    "CREATE TABLE IF NOT EXISTS token_use (token INTEGER PRIMARY KEY, at INTEGER NOT NULL)",
    "INSERT INTO state (name, value) VALUES ('own', 0) ON CONFLICT DO NOTHING",
];

/// When what is said of posts, authors and friends was said, and posts by when they were received.
const ORDER: &[&str] = &[
    "ALTER TABLE author ADD COLUMN status_at INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE author ADD COLUMN withheld_at INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE author ADD COLUMN handle_at INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE withheld ADD COLUMN said_at INTEGER NOT NULL DEFAULT 0",
    "CREATE TABLE IF NOT EXISTS friend_list (
        account INTEGER NOT NULL, network TEXT NOT NULL, said_at INTEGER NOT NULL,
        PRIMARY KEY (account, network)) WITHOUT ROWID",
    "CREATE INDEX IF NOT EXISTS post_received ON post (received_at)",
];

const BEGIN: &[&str] = &[
    "CREATE TABLE IF NOT EXISTS state (name TEXT NOT NULL PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID",
    "INSERT INTO state (name, value) VALUES ('commit', 0), ('post', 0), ('revision', 1), ('tombstones', 0),
        ('tombstones_dropped', 0), ('buffer_entries', 0), ('buffer_bytes', 0), ('redelivered', 0)
        ON CONFLICT DO NOTHING",
    "CREATE TABLE IF NOT EXISTS account (
        id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, created_at INTEGER NOT NULL)",
    "CREATE TABLE IF NOT EXISTS identity (
        account INTEGER NOT NULL, network TEXT NOT NULL, native_id TEXT NOT NULL, handle TEXT NOT NULL,
        PRIMARY KEY (account, network, native_id, handle)) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS follow (
        account INTEGER NOT NULL, network TEXT NOT NULL, author TEXT NOT NULL, origin TEXT NOT NULL,
        PRIMARY KEY (account, network, author)) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS filter (
        id INTEGER PRIMARY KEY AUTOINCREMENT, account INTEGER NOT NULL, position INTEGER NOT NULL,
        name TEXT NOT NULL, text TEXT NOT NULL, dialect TEXT NOT NULL, action TEXT NOT NULL,
        enabled INTEGER NOT NULL, expires_at INTEGER, revision INTEGER NOT NULL)",
    "CREATE INDEX IF NOT EXISTS filter_order ON filter (account, position, id)",
    "CREATE TABLE IF NOT EXISTS named_set (
        name TEXT NOT NULL PRIMARY KEY, terms TEXT NOT NULL, revision INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS post (
        num INTEGER PRIMARY KEY, network TEXT NOT NULL, native_id TEXT NOT NULL, version INTEGER NOT NULL,
        since INTEGER NOT NULL, created_at INTEGER, received_at INTEGER NOT NULL, author_id TEXT NOT NULL,
        author_handle TEXT NOT NULL, source TEXT NOT NULL, is_public INTEGER NOT NULL, audience TEXT NOT NULL,
        withheld TEXT, deleted INTEGER, body TEXT)",
    "CREATE UNIQUE INDEX IF NOT EXISTS post_native ON post (network, native_id)",
    "CREATE TABLE IF NOT EXISTS carried (
        network TEXT NOT NULL, native_id TEXT NOT NULL, post INTEGER NOT NULL, author_id TEXT NOT NULL,
        PRIMARY KEY (network, native_id, post)) WITHOUT ROWID",
    "CREATE INDEX IF NOT EXISTS carried_post ON carried (post, network, author_id)",
    "CREATE TABLE IF NOT EXISTS placed (
        network TEXT NOT NULL, author_id TEXT NOT NULL, post INTEGER NOT NULL, native_id TEXT NOT NULL,
        PRIMARY KEY (post, native_id)) WITHOUT ROWID",
    "CREATE INDEX IF NOT EXISTS placed_author ON placed (network, author_id)",
    "CREATE TABLE IF NOT EXISTS delivery_pack (
        commit_no INTEGER NOT NULL, account INTEGER NOT NULL, revision INTEGER NOT NULL, items TEXT NOT NULL,
        PRIMARY KEY (commit_no, account)) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS delivery_span (
        account INTEGER NOT NULL, span INTEGER NOT NULL, PRIMARY KEY (account, span)) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS matches (
        account INTEGER NOT NULL, filter INTEGER NOT NULL, commit_no INTEGER NOT NULL, post INTEGER NOT NULL,
        PRIMARY KEY (account, filter, commit_no, post)) WITHOUT ROWID",
    "CREATE INDEX IF NOT EXISTS matches_post ON matches (post)",
    "CREATE TABLE IF NOT EXISTS commit_log (no INTEGER PRIMARY KEY, at INTEGER NOT NULL)",
    "CREATE TABLE IF NOT EXISTS tombstone (
        network TEXT NOT NULL, native_id TEXT NOT NULL, at INTEGER NOT NULL,
        PRIMARY KEY (network, native_id)) WITHOUT ROWID",
    "CREATE INDEX IF NOT EXISTS tombstone_at ON tombstone (at)",
    "CREATE TABLE IF NOT EXISTS withheld (
        network TEXT NOT NULL, native_id TEXT NOT NULL, countries TEXT NOT NULL, at INTEGER NOT NULL,
        PRIMARY KEY (network, native_id)) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS author (
        network TEXT NOT NULL, author_id TEXT NOT NULL, handle TEXT, scrub_up_to TEXT, withheld TEXT,
        inactive INTEGER NOT NULL DEFAULT 0, status TEXT, changed_at INTEGER NOT NULL,
        PRIMARY KEY (network, author_id)) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS outcome_count (
        source TEXT NOT NULL PRIMARY KEY, stored INTEGER NOT NULL, suppressed INTEGER NOT NULL,
        repeated INTEGER NOT NULL, stale INTEGER NOT NULL, dead INTEGER NOT NULL,
        strangers INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS dead_letter (
        id INTEGER PRIMARY KEY AUTOINCREMENT, digest TEXT NOT NULL UNIQUE, source TEXT NOT NULL,
        network TEXT NOT NULL, native_id TEXT NOT NULL, reason TEXT NOT NULL, at INTEGER NOT NULL,
        entry BLOB NOT NULL)",
    "CREATE INDEX IF NOT EXISTS dead_letter_post ON dead_letter (network, native_id)",
    "CREATE TABLE IF NOT EXISTS gap (
        id INTEGER PRIMARY KEY AUTOINCREMENT, source TEXT NOT NULL, from_at INTEGER NOT NULL,
        to_at INTEGER NOT NULL, reason TEXT NOT NULL, missing INTEGER)",
    "CREATE TABLE IF NOT EXISTS source (
        name TEXT NOT NULL PRIMARY KEY, holder TEXT NOT NULL, fence INTEGER NOT NULL,
        lease_until INTEGER NOT NULL, cursor_at TEXT, counts TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS crash_event (
        id INTEGER PRIMARY KEY AUTOINCREMENT, part TEXT NOT NULL, at INTEGER NOT NULL, reason TEXT NOT NULL,
        backtrace TEXT NOT NULL)",
    // The key is what partitions are chosen by; there is one here.
    "CREATE TABLE IF NOT EXISTS buffer_entry (
        seq INTEGER PRIMARY KEY AUTOINCREMENT, part INTEGER NOT NULL, at INTEGER NOT NULL, bytes BLOB NOT NULL)",
    "CREATE TABLE IF NOT EXISTS buffer_lease (
        seq INTEGER PRIMARY KEY, holder TEXT NOT NULL, lease_until INTEGER NOT NULL, attempts INTEGER NOT NULL)",
    "CREATE VIEW IF NOT EXISTS shown AS SELECT p.* FROM post p
        WHERE p.body IS NOT NULL AND p.withheld IS NULL
          AND NOT EXISTS (SELECT 1 FROM author a WHERE a.network = p.network AND a.author_id = p.author_id
                AND (a.inactive OR a.withheld IS NOT NULL))
          AND NOT EXISTS (SELECT 1 FROM carried c CROSS JOIN author a
                WHERE c.post = p.num AND a.network = c.network AND a.author_id = c.author_id
                AND (a.inactive OR a.withheld IS NOT NULL))",
    "CREATE VIEW IF NOT EXISTS delivery AS
        SELECT d.account AS account, d.commit_no AS commit_no, p.num AS post, p.network AS network,
               p.native_id AS native_id, i.value ->> 1 AS verdict, (i.value ->> 1) & 1 AS hidden,
               ((i.value ->> 1) & 2) / 2 AS highlighted, ((i.value ->> 1) & 4) / 4 AS notify,
               i.value -> 2 AS filters, d.revision AS revision, p.body AS body
        FROM delivery_pack d CROSS JOIN json_each(d.items) i CROSS JOIN shown p
        WHERE p.num = i.value ->> 0 AND p.since <= d.commit_no",
];

const LOOKUP: &[&str] = &[
    "CREATE TABLE IF NOT EXISTS handle (
        network TEXT NOT NULL, handle TEXT NOT NULL, author_id TEXT, asked_at INTEGER NOT NULL,
        claimed_at INTEGER NOT NULL, PRIMARY KEY (network, handle)) WITHOUT ROWID",
    "CREATE INDEX IF NOT EXISTS handle_author ON handle (network, author_id)",
    "CREATE TABLE IF NOT EXISTS profile (
        network TEXT NOT NULL, author_id TEXT NOT NULL, handle TEXT, name TEXT, wanted INTEGER NOT NULL,
        asked_at INTEGER NOT NULL, claimed_at INTEGER NOT NULL, PRIMARY KEY (network, author_id))",
    "CREATE INDEX IF NOT EXISTS profile_wanted ON profile (claimed_at) WHERE wanted = 1",
    "CREATE INDEX IF NOT EXISTS profile_asked ON profile (asked_at)",
    // What was delivered before is left as it is.
    "INSERT INTO state (name, value) SELECT 'profiles', value FROM state WHERE name = 'commit' ON CONFLICT DO NOTHING",
];

/// How hosts, processes and parts were, over time.
const SAMPLES: &[&str] = &[
    "CREATE TABLE IF NOT EXISTS sample (
        at INTEGER NOT NULL, kind TEXT NOT NULL, host TEXT NOT NULL, name TEXT NOT NULL, body TEXT NOT NULL,
        PRIMARY KEY (at, kind, host, name)) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS process (
        host TEXT NOT NULL, name TEXT NOT NULL, at INTEGER NOT NULL, body TEXT NOT NULL,
        PRIMARY KEY (host, name)) WITHOUT ROWID",
];

/// A step of SQLite is done as a whole or not at all.
const UNMATCHED: &[&str] = &["ALTER TABLE outcome_count ADD COLUMN unmatched INTEGER NOT NULL DEFAULT 0"];

const VERSIONS: &[&str] = &["ALTER TABLE post ADD COLUMN version_at INTEGER NOT NULL DEFAULT 0"];

/// What dead letters hold, so that what is said of it finds them.
const DEAD_POSTS: &[&str] = &[
    "CREATE TABLE IF NOT EXISTS dead_post (
        native_id TEXT NOT NULL, network TEXT NOT NULL, letter INTEGER NOT NULL, author_id TEXT NOT NULL,
        PRIMARY KEY (native_id, network, letter)) WITHOUT ROWID",
    "CREATE INDEX IF NOT EXISTS dead_post_letter ON dead_post (letter)",
    "CREATE INDEX IF NOT EXISTS dead_post_author ON dead_post (network, author_id)",
    "INSERT INTO dead_post (native_id, network, letter, author_id)
        SELECT native_id, network, id, '' FROM dead_letter WHERE LENGTH(entry) > 0 AND native_id <> ''
        ON CONFLICT DO NOTHING",
];

/// What deletes that name no network are looked up by: those on X and Bluesky always do.
const NATIVE_IDS: &[&str] = &[
    "CREATE INDEX IF NOT EXISTS post_native_id ON post (native_id) WHERE network NOT IN ('x', 'bluesky')",
    "CREATE INDEX IF NOT EXISTS carried_native_id ON carried (native_id) WHERE network NOT IN ('x', 'bluesky')",
];

/// Accounts that are no more, and what else goes bit by bit.
const REMOVAL: &[&str] = &[
    "CREATE TABLE IF NOT EXISTS removed_account (
        account INTEGER PRIMARY KEY, removed_at INTEGER NOT NULL, look_at INTEGER NOT NULL)",
    "CREATE INDEX IF NOT EXISTS withheld_at ON withheld (at)",
    "CREATE INDEX IF NOT EXISTS author_changed ON author (changed_at)",
    "ALTER TABLE handle ADD COLUMN named_at INTEGER NOT NULL DEFAULT 0",
    "UPDATE handle SET named_at = asked_at",
    "CREATE TABLE IF NOT EXISTS unacknowledged (
        name TEXT NOT NULL PRIMARY KEY, at INTEGER NOT NULL, is_whole INTEGER NOT NULL, entries TEXT NOT NULL,
        counts TEXT NOT NULL) WITHOUT ROWID",
];

/// When something of a source was counted last. Of what was counted before, the last commit is as near as is known.
const LAST_OUTCOME: &[&str] = &[
    "ALTER TABLE outcome_count ADD COLUMN last_at INTEGER NOT NULL DEFAULT 0",
    "UPDATE outcome_count SET last_at = (SELECT COALESCE(MAX(at), 0) FROM commit_log)",
];

/// Why nothing of an author is shown, each reason by itself.
const REASONS: &[&str] = &["ALTER TABLE author ADD COLUMN states TEXT"];

/// Where sources stand whose buffer is elsewhere, and may forget it.
const SOURCE_PLACES: &[&str] = &["CREATE TABLE IF NOT EXISTS source_place (
    name TEXT NOT NULL PRIMARY KEY, cursor_at TEXT, since INTEGER NOT NULL) WITHOUT ROWID"];

/// Who names which handles, and when each is due. What was named is stated again by whoever looks handles up.
const NAMED_HANDLES: &[&str] = &[
    "CREATE TABLE IF NOT EXISTS handle_scope (
        scope TEXT NOT NULL, network TEXT NOT NULL, digest TEXT NOT NULL, turn INTEGER NOT NULL,
        PRIMARY KEY (scope, network)) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS named_handle (
        scope TEXT NOT NULL, network TEXT NOT NULL, handle TEXT NOT NULL, due_at INTEGER NOT NULL,
        PRIMARY KEY (scope, network, handle)) WITHOUT ROWID",
    "CREATE INDEX IF NOT EXISTS named_handle_due ON named_handle (scope, network, due_at, handle)",
    "CREATE INDEX IF NOT EXISTS named_handle_of ON named_handle (network, handle)",
    "ALTER TABLE handle DROP COLUMN claimed_at",
    "ALTER TABLE handle DROP COLUMN named_at",
];

/// Gaps of what was recorded are of times long ago, and are kept as long as others.
const GAPS_TOLD: &[&str] = &["ALTER TABLE gap ADD COLUMN told_at INTEGER NOT NULL DEFAULT 0"];

/// Secrets of tokens and feeds that were revoked: nothing is made of them again.
const REVOKED_SECRETS: &[&str] = &[
    "CREATE TABLE IF NOT EXISTS revoked_secret (
        id INTEGER PRIMARY KEY AUTOINCREMENT, account INTEGER NOT NULL, digest TEXT NOT NULL UNIQUE,
        at INTEGER NOT NULL)",
    "CREATE INDEX IF NOT EXISTS revoked_secret_account ON revoked_secret (account, id)",
];
