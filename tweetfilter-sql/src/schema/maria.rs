//! The tables of MariaDB. Each says its character set, since a bare server's is latin1.

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
    ("views of whoever reads", READERS_VIEWS),
];

/// A table in full Unicode, compared byte by byte.
macro_rules! table {
    ($name:literal, $columns:literal) => {
        concat!(
            "CREATE TABLE IF NOT EXISTS ",
            $name,
            " (",
            $columns,
            ") ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin"
        )
    };
}

/// What the view `shown` shows.
macro_rules! shown {
    () => {
        "SELECT p.* FROM post p
        WHERE p.body IS NOT NULL AND p.withheld IS NULL
          AND NOT EXISTS (SELECT 1 FROM author a WHERE a.network = p.network AND a.author_id = p.author_id
                AND (a.inactive = 1 OR a.withheld IS NOT NULL))
          AND NOT EXISTS (SELECT 1 FROM carried c JOIN author a
                ON a.network = c.network AND a.author_id = c.author_id
                WHERE c.post = p.num AND (a.inactive = 1 OR a.withheld IS NOT NULL))"
    };
}

/// What the view `delivery` shows.
macro_rules! delivery {
    () => {
        "        SELECT d.account AS account, d.commit_no AS commit_no, p.num AS post, p.network AS network,
               p.native_id AS native_id, i.verdict AS verdict, i.verdict & 1 AS hidden,
               (i.verdict & 2) DIV 2 AS highlighted, (i.verdict & 4) DIV 4 AS notify,
               JSON_EXTRACT(d.items, CONCAT('$[', i.place - 1, '][2]')) AS filters, d.revision AS revision, p.body AS body
        FROM delivery_pack d
        JOIN JSON_TABLE(d.items, '$[*]' COLUMNS (place FOR ORDINALITY, post BIGINT PATH '$[0]',
             verdict INT PATH '$[1]')) i
        JOIN shown p ON p.num = i.post
        WHERE p.since <= d.commit_no"
    };
}

const LOOK_BACK: &[&str] = &[table!(
    "reapply",
    "name VARCHAR(190) NOT NULL PRIMARY KEY, digest VARCHAR(64) NOT NULL, revision BIGINT NOT NULL,
    phase INT NOT NULL, account BIGINT NOT NULL, place BIGINT NOT NULL"
)];

const OWN_LISTS: &[&str] = &[table!(
    "account_set",
    "account BIGINT NOT NULL, name VARCHAR(190) NOT NULL, terms LONGTEXT NOT NULL, revision BIGINT NOT NULL,
    PRIMARY KEY (account, name)"
)];
/// What the API keeps for accounts.
const API: &[&str] = &[
    "INSERT INTO state (name, value) VALUES ('tokens', 0), ('probe', 0) ON DUPLICATE KEY UPDATE name = name",
    table!(
        "token",
        "id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, account BIGINT NOT NULL, name VARCHAR(190) NOT NULL,
        digest VARCHAR(64) NOT NULL UNIQUE, scope VARCHAR(16) NOT NULL, created_at BIGINT NOT NULL"
    ),
    table!(
        "reading",
        "account BIGINT NOT NULL, place VARCHAR(190) NOT NULL, commit_no BIGINT NOT NULL, post BIGINT NOT NULL,
        at BIGINT NOT NULL, PRIMARY KEY (account, place)"
    ),
    table!(
        "feed",
        "id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, account BIGINT NOT NULL, filter BIGINT NOT NULL,
        digest VARCHAR(64) NOT NULL UNIQUE, created_at BIGINT NOT NULL, KEY feed_account (account)"
    ),
];

/// What live streams are told besides deliveries, and when tokens were used.
const WITHDRAWN: &[&str] = &[
    table!(
        "withdrawn_post",
        "commit_no BIGINT NOT NULL, post BIGINT NOT NULL, stays TINYINT NOT NULL, is_public TINYINT NOT NULL,
        audience LONGTEXT NOT NULL, PRIMARY KEY (commit_no, post)"
    ),
    table!(
        "withdrawn_author",
        "commit_no BIGINT NOT NULL, network VARCHAR(190) NOT NULL, author_id VARCHAR(500) NOT NULL,
        PRIMARY KEY (commit_no, network, author_id)"
    ),
    table!("own_change", "account BIGINT NOT NULL PRIMARY KEY, no BIGINT NOT NULL, KEY own_change_no (no)"),
    table!("token_use", "token BIGINT NOT NULL PRIMARY KEY, at BIGINT NOT NULL"),
    "INSERT INTO state (name, value) VALUES ('own', 0) ON DUPLICATE KEY UPDATE name = name",
];

/// When what is said of posts, authors and friends was said, and posts by when they were received.
const ORDER: &[&str] = &[
    "ALTER TABLE author ADD COLUMN IF NOT EXISTS status_at BIGINT NOT NULL DEFAULT 0",
    "ALTER TABLE author ADD COLUMN IF NOT EXISTS withheld_at BIGINT NOT NULL DEFAULT 0",
    "ALTER TABLE author ADD COLUMN IF NOT EXISTS handle_at BIGINT NOT NULL DEFAULT 0",
    "ALTER TABLE withheld ADD COLUMN IF NOT EXISTS said_at BIGINT NOT NULL DEFAULT 0",
    table!(
        "friend_list",
        "account BIGINT NOT NULL, network VARCHAR(190) NOT NULL, said_at BIGINT NOT NULL,
        PRIMARY KEY (account, network)"
    ),
    "ALTER TABLE post ADD INDEX IF NOT EXISTS post_received (received_at)",
];

const BEGIN: &[&str] = &[
    table!("state", "name VARCHAR(64) NOT NULL PRIMARY KEY, value BIGINT NOT NULL"),
    "INSERT INTO state (name, value) VALUES ('commit', 0), ('post', 0), ('revision', 1), ('tombstones', 0),
        ('tombstones_dropped', 0) ON DUPLICATE KEY UPDATE name = name",
    table!(
        "account",
        "id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, name VARCHAR(190) NOT NULL UNIQUE, created_at BIGINT NOT NULL"
    ),
    table!(
        "identity",
        "account BIGINT NOT NULL, network VARCHAR(190) NOT NULL, native_id VARCHAR(250) NOT NULL,
        handle VARCHAR(250) NOT NULL, PRIMARY KEY (account, network, native_id, handle)"
    ),
    table!(
        "follow",
        "account BIGINT NOT NULL, network VARCHAR(190) NOT NULL, author VARCHAR(500) NOT NULL,
        origin VARCHAR(16) NOT NULL, PRIMARY KEY (account, network, author)"
    ),
    table!(
        "filter",
        "id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, account BIGINT NOT NULL, position BIGINT NOT NULL,
        name VARCHAR(500) NOT NULL, text MEDIUMTEXT NOT NULL, dialect VARCHAR(16) NOT NULL,
        action VARCHAR(16) NOT NULL, enabled TINYINT NOT NULL, expires_at BIGINT, revision BIGINT NOT NULL,
        KEY filter_order (account, position, id)"
    ),
    table!(
        "named_set",
        "name VARCHAR(190) NOT NULL PRIMARY KEY, terms LONGTEXT NOT NULL, revision BIGINT NOT NULL"
    ),
    table!(
        "post",
        "num BIGINT NOT NULL PRIMARY KEY, network VARCHAR(190) NOT NULL, native_id VARCHAR(500) NOT NULL,
        version BIGINT NOT NULL, since BIGINT NOT NULL, created_at BIGINT, received_at BIGINT NOT NULL,
        author_id VARCHAR(500) NOT NULL, author_handle VARCHAR(500) NOT NULL, source VARCHAR(190) NOT NULL,
        is_public TINYINT NOT NULL, audience LONGTEXT NOT NULL, withheld TEXT, deleted BIGINT,
        body MEDIUMTEXT, UNIQUE KEY post_native (network, native_id)"
    ),
    table!(
        "carried",
        "network VARCHAR(190) NOT NULL, native_id VARCHAR(500) NOT NULL, post BIGINT NOT NULL,
        author_id VARCHAR(500) NOT NULL, PRIMARY KEY (network, native_id, post), KEY carried_post (post)"
    ),
    table!(
        "placed",
        "network VARCHAR(190) NOT NULL, author_id VARCHAR(500) NOT NULL, post BIGINT NOT NULL,
        native_id VARCHAR(500) NOT NULL, PRIMARY KEY (post, native_id),
        KEY placed_author (network, author_id)"
    ),
    table!(
        "delivery_pack",
        "account BIGINT NOT NULL, commit_no BIGINT NOT NULL, revision BIGINT NOT NULL, items LONGTEXT NOT NULL,
        PRIMARY KEY (account, commit_no), KEY delivery_pack_commit (commit_no)"
    ),
    table!(
        "matches",
        "account BIGINT NOT NULL, filter BIGINT NOT NULL, commit_no BIGINT NOT NULL, post BIGINT NOT NULL,
        PRIMARY KEY (account, filter, commit_no, post), KEY matches_post (post)"
    ),
    table!("commit_log", "no BIGINT NOT NULL PRIMARY KEY, at BIGINT NOT NULL"),
    table!(
        "tombstone",
        "network VARCHAR(190) NOT NULL, native_id VARCHAR(500) NOT NULL, at BIGINT NOT NULL,
        PRIMARY KEY (network, native_id), KEY tombstone_at (at)"
    ),
    table!(
        "withheld",
        "network VARCHAR(190) NOT NULL, native_id VARCHAR(500) NOT NULL, countries TEXT NOT NULL,
        at BIGINT NOT NULL, PRIMARY KEY (network, native_id)"
    ),
    table!(
        "author",
        "network VARCHAR(190) NOT NULL, author_id VARCHAR(500) NOT NULL, handle VARCHAR(500),
        scrub_up_to VARCHAR(500), withheld TEXT, inactive TINYINT NOT NULL DEFAULT 0, status VARCHAR(190),
        changed_at BIGINT NOT NULL, PRIMARY KEY (network, author_id)"
    ),
    table!(
        "outcome_count",
        "source VARCHAR(190) NOT NULL PRIMARY KEY, stored BIGINT NOT NULL, suppressed BIGINT NOT NULL,
        repeated BIGINT NOT NULL, stale BIGINT NOT NULL, dead BIGINT NOT NULL, strangers BIGINT NOT NULL"
    ),
    table!(
        "dead_letter",
        "id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, digest VARCHAR(64) NOT NULL UNIQUE,
        source VARCHAR(190) NOT NULL, network VARCHAR(190) NOT NULL, native_id VARCHAR(500) NOT NULL,
        reason TEXT NOT NULL, at BIGINT NOT NULL, entry LONGBLOB NOT NULL,
        KEY dead_letter_post (network, native_id)"
    ),
    table!(
        "gap",
        "id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, source VARCHAR(190) NOT NULL, from_at BIGINT NOT NULL,
        to_at BIGINT NOT NULL, reason TEXT NOT NULL, missing BIGINT"
    ),
    table!(
        "source",
        "name VARCHAR(190) NOT NULL PRIMARY KEY, holder VARCHAR(190) NOT NULL, fence BIGINT NOT NULL,
        lease_until BIGINT NOT NULL, cursor_at TEXT, counts TEXT NOT NULL"
    ),
    table!(
        "crash_event",
        "id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, part VARCHAR(190) NOT NULL, at BIGINT NOT NULL,
        reason TEXT NOT NULL, backtrace MEDIUMTEXT NOT NULL"
    ),
    concat!("CREATE OR REPLACE VIEW shown AS ", shown!()),
    concat!("CREATE OR REPLACE VIEW delivery AS\n", delivery!()),
];

const LOOKUP: &[&str] = &[
    table!(
        "handle",
        "network VARCHAR(190) NOT NULL, handle VARCHAR(253) NOT NULL, author_id VARCHAR(500),
        asked_at BIGINT NOT NULL, claimed_at BIGINT NOT NULL, PRIMARY KEY (network, handle),
        KEY handle_author (network, author_id)"
    ),
    table!(
        "profile",
        "network VARCHAR(190) NOT NULL, author_id VARCHAR(500) NOT NULL, handle VARCHAR(253), name TEXT,
        wanted TINYINT NOT NULL, asked_at BIGINT NOT NULL, claimed_at BIGINT NOT NULL,
        PRIMARY KEY (network, author_id), KEY profile_wanted (wanted, claimed_at), KEY profile_asked (asked_at)"
    ),
    "INSERT INTO state (name, value) SELECT 'profiles', s.value FROM state s WHERE s.name = 'commit'
        ON DUPLICATE KEY UPDATE value = state.value",
];

/// How hosts, processes and parts were, over time.
const SAMPLES: &[&str] = &[
    table!(
        "sample",
        "at BIGINT NOT NULL, kind VARCHAR(16) NOT NULL, host VARCHAR(190) NOT NULL, name VARCHAR(190) NOT NULL,
        body MEDIUMTEXT NOT NULL, PRIMARY KEY (at, kind, host, name)"
    ),
    table!(
        "process",
        "host VARCHAR(190) NOT NULL, name VARCHAR(190) NOT NULL, at BIGINT NOT NULL, body MEDIUMTEXT NOT NULL,
        PRIMARY KEY (host, name)"
    ),
];

const UNMATCHED: &[&str] =
    &["ALTER TABLE outcome_count ADD COLUMN IF NOT EXISTS unmatched BIGINT NOT NULL DEFAULT 0"];

const VERSIONS: &[&str] = &["ALTER TABLE post ADD COLUMN IF NOT EXISTS version_at BIGINT NOT NULL DEFAULT 0"];

/// What dead letters hold, so that what is said of it finds them.
const DEAD_POSTS: &[&str] = &[
    table!(
        "dead_post",
        "native_id VARCHAR(500) NOT NULL, network VARCHAR(190) NOT NULL, letter BIGINT NOT NULL,
        author_id VARCHAR(500) NOT NULL, PRIMARY KEY (native_id, network, letter),
        KEY dead_post_letter (letter), KEY dead_post_author (network, author_id)"
    ),
    "INSERT INTO dead_post (native_id, network, letter, author_id)
        SELECT d.native_id, d.network, d.id, '' FROM dead_letter d WHERE LENGTH(d.entry) > 0 AND d.native_id <> ''
        ON DUPLICATE KEY UPDATE letter = dead_post.letter",
];

/// What deletes that name no network are looked up by.
const NATIVE_IDS: &[&str] = &[
    "ALTER TABLE post ADD INDEX IF NOT EXISTS post_native_id (native_id)",
    "ALTER TABLE carried ADD INDEX IF NOT EXISTS carried_native_id (native_id)",
];

/// Accounts that are no more, and what else goes bit by bit.
const REMOVAL: &[&str] = &[
    table!(
        "removed_account",
        "account BIGINT NOT NULL PRIMARY KEY, removed_at BIGINT NOT NULL, look_at BIGINT NOT NULL"
    ),
    "CREATE INDEX IF NOT EXISTS withheld_at ON withheld (at)",
    "CREATE INDEX IF NOT EXISTS author_changed ON author (changed_at)",
    "ALTER TABLE handle ADD COLUMN IF NOT EXISTS named_at BIGINT NOT NULL DEFAULT 0",
    "UPDATE handle SET named_at = asked_at WHERE named_at = 0",
    table!(
        "unacknowledged",
        "name VARCHAR(190) NOT NULL PRIMARY KEY, at BIGINT NOT NULL, is_whole TINYINT NOT NULL,
        entries LONGTEXT NOT NULL, counts LONGTEXT NOT NULL"
    ),
];

/// When something of a source was counted last. Of what was counted before, the last commit is as near as is known.
const LAST_OUTCOME: &[&str] = &[
    "ALTER TABLE outcome_count ADD COLUMN IF NOT EXISTS last_at BIGINT NOT NULL DEFAULT 0",
    "UPDATE outcome_count SET last_at = (SELECT COALESCE(MAX(at), 0) FROM commit_log) WHERE last_at = 0",
];

/// Why nothing of an author is shown, each reason by itself.
const REASONS: &[&str] = &["ALTER TABLE author ADD COLUMN IF NOT EXISTS states TEXT"];

/// Where sources stand whose buffer is elsewhere, and may forget it.
const SOURCE_PLACES: &[&str] = &[table!(
    "source_place",
    "name VARCHAR(190) NOT NULL PRIMARY KEY, cursor_at TEXT, since BIGINT NOT NULL"
)];

/// Who names which handles, and when each is due. What was named is stated again by whoever looks handles up.
const NAMED_HANDLES: &[&str] = &[
    table!(
        "handle_scope",
        "scope VARCHAR(190) NOT NULL, network VARCHAR(190) NOT NULL, digest VARCHAR(64) NOT NULL,
        turn BIGINT NOT NULL, PRIMARY KEY (scope, network)"
    ),
    table!(
        "named_handle",
        "scope VARCHAR(190) NOT NULL, network VARCHAR(190) NOT NULL, handle VARCHAR(253) NOT NULL,
        due_at BIGINT NOT NULL, PRIMARY KEY (scope, network, handle),
        KEY named_handle_due (scope, network, due_at, handle), KEY named_handle_of (network, handle)"
    ),
    "ALTER TABLE handle DROP COLUMN IF EXISTS claimed_at",
    "ALTER TABLE handle DROP COLUMN IF EXISTS named_at",
];

/// Gaps of what was recorded are of times long ago, and are kept as long as others.
const GAPS_TOLD: &[&str] = &["ALTER TABLE gap ADD COLUMN IF NOT EXISTS told_at BIGINT NOT NULL DEFAULT 0"];

/// Secrets of tokens and feeds that were revoked: nothing is made of them again.
const REVOKED_SECRETS: &[&str] = &[table!(
    "revoked_secret",
    "id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, account BIGINT NOT NULL, digest VARCHAR(64) NOT NULL UNIQUE,
    at BIGINT NOT NULL, KEY revoked_secret_account (account, id)"
)];

/// Views are read with the rights of whoever reads them: the user that made them may be gone, or never have been where a copy of
/// the store is.
const READERS_VIEWS: &[&str] = &[
    concat!("CREATE OR REPLACE SQL SECURITY INVOKER VIEW shown AS ", shown!()),
    concat!("CREATE OR REPLACE SQL SECURITY INVOKER VIEW delivery AS\n", delivery!()),
];
