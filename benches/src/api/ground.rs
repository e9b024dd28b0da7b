//! A store full of posts, made once and kept.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{SyncSender, sync_channel};

use tweetfilter_core::budget::Price;
use tweetfilter_core::{Post, Scratch};
use tweetfilter_http::api::digest;
use tweetfilter_sql::{Database, Scope};
use tweetfilter_stream::store::{Delivery, Evaluated, Outcome, Store, Verdict};
use tweetfilter_stream::worker::Compiled;

use crate::chain::load::{ACCOUNTS, Load, stream};
use crate::chain::store::Fallible;

/// Posts of a commit.
const BATCH: usize = 500;
/// Of so many posts one is for the followers of its author alone; the others are for everybody.
const FOLLOWED: usize = 2;
/// When the first post was received, and how long after it the next one was, in milliseconds.
const BEGIN: i64 = 1_790_000_000_000;
const PACE: i64 = 250;

/// A store that is ready to be measured.
#[derive(Clone, Debug)]
pub struct Ground {
    /// The SQLite file.
    pub file: PathBuf,
    /// Posts in it.
    pub posts: u64,
}

/// The secret of an account's token.
#[must_use]
pub fn secret(account: i64) -> String {
    format!("tf_{account:064x}")
}

impl Ground {
    /// The store of earlier runs if it is what would be made today, or a new one.
    ///
    /// # Errors
    /// Those of the store and of the file.
    pub fn prepare(posts: u64, load: &Load) -> Fallible<Self> {
        let folder = target().join(format!("bench-api/{posts}"));
        let (file, stamp) = (folder.join("store.db"), folder.join("stamp"));
        let ground = Self { file, posts };
        let wanted = of_today(posts, load);
        if fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) {
            println!("store: {} of an earlier run\n", ground.file.display());
            return Ok(ground);
        }
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder)?;
        let begin = std::time::Instant::now();
        ground.fill(load)?;
        fs::write(&stamp, wanted)?;
        let bytes = ground.file.metadata()?.len();
        println!(
            "store: {posts} posts in {:.0} s, {:.0} bytes of file a post, kept in {}\n",
            begin.elapsed().as_secs_f64(),
            bytes as f64 / posts as f64,
            folder.display()
        );
        Ok(ground)
    }

    /// A copy that may be written to.
    ///
    /// # Errors
    /// Those of the file.
    pub fn copy(&self) -> Fallible<Copied> {
        let copy = Copied(self.file.with_file_name("copy.db"));
        copy.remove();
        fs::copy(&self.file, &copy.0)?;
        Ok(copy)
    }

    fn fill(&self, load: &Load) -> Fallible<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        // Thousands of small commits would wait for the disk each.
        let memory = PathBuf::from("/dev/shm").join(format!("tweetfilter-api-{}.db", std::process::id()));
        let first = if memory.parent().is_some_and(Path::is_dir) { &memory } else { &self.file };
        runtime.block_on(async {
            let database = Database::open(&first.to_string_lossy()).await?;
            load.prepare(&database).await?;
            for account in 1..=ACCOUNTS as i64 {
                database.add_token(account, "bench", &digest(&secret(account)), Scope::Write).await?;
            }
            database.close().await;
            Fallible::Ok(())
        })?;
        if first != &self.file {
            fs::copy(first, &self.file)?;
            fs::remove_file(first)?;
        }
        let database = runtime.block_on(Database::open(&self.file.to_string_lossy()))?;
        let snapshot = runtime.block_on(database.filters(None))?.ok_or("the store has filters")?;
        let compiled = Compiled::new(&snapshot, Price::OWNER);
        let (give, take) = sync_channel::<Vec<Evaluated>>(4);
        let stored = std::thread::scope(|scope| {
            scope.spawn(|| evaluate(load, &compiled, self.posts, give));
            let mut stored = 0;
            for posts in take {
                let at = posts.last().map_or(BEGIN, |post| post.at);
                let outcome = Outcome { revision: snapshot.revision, at, posts, ..Outcome::default() };
                stored += u64::from(runtime.block_on(database.commit(&outcome, &[]))?.new);
                if stored % 100_000 == 0 {
                    println!("store: {stored} posts");
                }
            }
            Fallible::Ok(stored)
        })?;
        if stored != self.posts {
            return Err(format!("{stored} posts were stored of {}", self.posts).into());
        }
        runtime.block_on(database.close());
        Ok(())
    }
}

fn evaluate(load: &Load, compiled: &Compiled, posts: u64, give: SyncSender<Vec<Evaluated>>) {
    let everybody: Vec<i64> = (1..=ACCOUNTS as i64).collect();
    let (mut scratch, mut batch) = (Scratch::default(), Vec::new());
    for (number, (_, post)) in stream(posts).enumerate() {
        let public = number % FOLLOWED != 0;
        let accounts = if public { &everybody[..] } else { load.audience(&post) };
        let at = BEGIN + number as i64 * PACE;
        batch.push(evaluated(compiled, &mut scratch, post, public, accounts, at));
        if batch.len() == BATCH && give.send(std::mem::take(&mut batch)).is_err() {
            return;
        }
    }
    let _ = give.send(batch);
}

/// A post as a worker stores it.
fn evaluated(
    compiled: &Compiled,
    scratch: &mut Scratch,
    post: Post,
    public: bool,
    accounts: &[i64],
    at: i64,
) -> Evaluated {
    let mut deliveries = compiled.evaluate(scratch, &post, accounts);
    if !public {
        deliveries.iter_mut().for_each(|delivery| delivery.seen = true);
        for &account in accounts {
            if let Err(place) = deliveries.binary_search_by_key(&account, |delivery| delivery.account) {
                let nothing =
                    Delivery { account, verdict: Verdict::default(), filters: Vec::new(), seen: true };
                deliveries.insert(place, nothing);
            }
        }
    }
    Evaluated {
        post,
        version: 0,
        source: "bench".into(),
        at,
        place: None,
        public,
        deliveries,
        strangers: 0,
        stored: None,
    }
}

/// What a store that is made today is made of.
fn of_today(posts: u64, load: &Load) -> String {
    let schema = include_str!("../../../tweetfilter-sql/src/schema/sqlite.rs");
    let first: String = stream(100).map(|(line, _)| line).collect();
    let parts = [schema, &load.filters().join("\n"), &first];
    format!(
        "{} {posts} posts, {ACCOUNTS} accounts, {BATCH} a commit, 1 of {FOLLOWED} for followers, {BEGIN} + {PACE}\n",
        digest(&parts.join("\0"))
    )
}

fn target() -> PathBuf {
    let folder = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    folder.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../target"))
}

/// A copy of a store, which is gone when this is dropped.
#[derive(Debug)]
pub struct Copied(pub PathBuf);

impl Copied {
    fn remove(&self) {
        for end in ["", "-wal", "-shm"] {
            let mut file = self.0.clone().into_os_string();
            file.push(end);
            let _ = fs::remove_file(file);
        }
    }
}

impl Drop for Copied {
    fn drop(&mut self) {
        self.remove();
    }
}
