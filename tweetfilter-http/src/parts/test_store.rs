//! A store of these parts' tests, in a folder that goes with it.

use std::ops::Deref;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use tweetfilter_sql::Database;

pub(crate) struct TestStore {
    database: Database,
    folder: PathBuf,
}

impl TestStore {
    pub(crate) async fn open() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name =
            format!("tweetfilter-parts-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let folder = std::env::temp_dir().join(name);
        // A process that had this number before may have left something.
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        let database = Database::open(&folder.join("a.db").to_string_lossy()).await.unwrap();
        Self { database, folder }
    }
}

impl Deref for TestStore {
    type Target = Database;

    fn deref(&self) -> &Database {
        &self.database
    }
}

impl Drop for TestStore {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
