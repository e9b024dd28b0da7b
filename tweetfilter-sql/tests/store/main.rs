//! What every store keeps, on SQLite and on a real MariaDB.
#![allow(missing_docs)]

mod another_user;
#[path = "../common/mod.rs"]
mod common;
mod concurrent;
mod contract;
mod cut_off;
mod edits;
mod gone;
mod refused;
mod scrubbed;
mod steps;

use common::{Clock, Folder, Maria};
use tweetfilter_sql::Database;

macro_rules! contract {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            use super::*;
            $(#[tokio::test]
            async fn $name() {
                let (folder, clock) = (Folder::new(), Clock::new());
                let database = clock.set(Database::open(&folder.file("a.db")).await.unwrap());
                contract::$name(&database, &clock).await;
                database.close().await;
            })*
        }

        /// One server for all, each with a database of its own. What is begun is ended by another thread while this one asks
        /// the server something.
        #[tokio::test(flavor = "multi_thread")]
        async fn maria() {
            let Some(server) = Maria::start() else {
                println!("skipped: no mariadbd");
                return;
            };
            $({
                println!("{}", stringify!($name));
                let clock = Clock::new();
                let database = clock.set(server.database(stringify!($name)).await);
                contract::$name(&database, &clock).await;
                database.close().await;
            })*
            let again = Database::open(&server.address("every_statement_is_understood")).await.unwrap();
            again.close().await;
            concurrent::four_workers_on_maria(&server).await;
            concurrent::filters_are_of_one_revision(&server).await;
            concurrent::a_budget_is_held_on_maria(&server).await;
            concurrent::a_quota_of_sets_is_held_on_maria(&server).await;
            concurrent::a_new_set_replaces_none_on_maria(&server).await;
            concurrent::feeds_and_places_are_no_more_than_allowed_on_maria(&server).await;
            concurrent::letters_are_taken_off_again_after_a_deadlock(&server).await;
            refused::a_row_that_is_refused_fails_the_commit(&server).await;
            refused::a_number_is_not_given_twice_on_maria(&server).await;
            gone::nothing_of_a_removed_account_is_left_on_maria(&server).await;
            gone::what_is_old_is_forgotten_everywhere_on_maria(&server).await;
            steps::a_delete_without_a_network_reads_little_of_maria(&server).await;
            steps::a_scrub_reads_what_it_is_about_on_maria(&server).await;
            scrubbed::verdicts_are_those_of_what_is_left_on_maria(&server).await;
            steps::the_next_handles_are_found_in_few_reads_of_maria(&server).await;
            refused::a_batch_that_was_cut_off_in_the_middle_is_counted_once(&server).await;
            refused::who_only_reads_can_where_nothing_is_written(&server).await;
            another_user::what_a_user_made_who_is_gone_is_read_by_another(&server).await;
        }
    };
}

contract!(
    every_statement_is_understood,
    a_post_is_stored_once_and_late_viewers_get_it_too,
    a_public_post_is_tried_once,
    a_new_version_replaces_the_old_one_in_any_order,
    a_version_waits_until_it_is_evaluated_for_all_who_have_another,
    what_everybody_saw_everybody_sees_in_its_next_version,
    a_delete_wins_before_and_after,
    a_delete_takes_the_original_out_of_what_carries_it,
    a_delete_that_names_no_network_spares_those_that_always_do,
    scrubbed_places_are_gone_from_stored_and_later_posts,
    what_is_withheld_is_not_shown,
    posts_of_inactive_authors_are_not_shown,
    posts_without_an_id_are_told_apart,
    dead_letters_are_kept_once,
    letters_that_are_put_back_while_others_die_are_counted_as_they_are,
    each_entry_comes_to_one_end,
    what_was_committed_before_is_not_counted_again,
    a_worker_whose_lease_ran_out_counts_nothing,
    what_no_column_holds_is_refused,
    filters_tell_their_revision_and_expire,
    filters_are_kept_together_or_not_at_all,
    where_a_filter_stands_is_no_change_of_it,
    filters_are_added_only_to_those_that_were_read,
    an_owner_is_held_to_a_budget,
    a_check_refuses_what_a_save_would_and_as_it_would,
    lists_belong_to_an_account_or_to_all,
    looking_back_gives_what_the_present_filters_say,
    accounts_and_follows_come_and_go,
    a_removed_account_is_gone_at_once_and_what_it_saw_bit_by_bit,
    the_timeline_pages_and_filters,
    what_filters_said_is_told_of_what_stands_in_the_timeline,
    the_tail_misses_nothing,
    what_is_taken_back_is_told_to_whom_it_was_for,
    old_posts_are_forgotten,
    what_was_said_of_posts_is_forgotten_after_them,
    the_newest_that_is_stored_of_a_source_is_known_by_when_it_was_received,
    the_oldest_posts_make_room,
    what_no_filter_matched_is_counted,
    the_views_unpack_deliveries,
    handles_are_handed_out_answered_and_doubted,
    each_that_names_handles_has_its_turn,
    what_is_named_no_more_is_forgotten,
    a_network_plays_a_part_by_a_source_an_account_or_a_post,
    a_look_back_begins_again_when_it_is_known_whose_a_handle_is,
    profiles_are_wanted_by_deliveries_and_kept_with_a_date,
    samples_are_kept_once_for_seven_days,
    of_the_same_version_what_was_received_last_holds,
    a_mark_ends_when_nothing_that_a_post_carries_is_withheld,
    what_is_deleted_is_not_kept_in_dead_letters,
    many_places_are_scrubbed_in_pieces,
    what_was_said_earlier_changes_nothing_that_was_said_later,
    each_reason_that_keeps_an_author_back_ends_by_itself,
    names_and_ids_that_end_in_a_space_are_refused,
    an_odd_time_holds_up_no_retention,
    gaps_that_are_told_again_are_kept_once,
    of_a_source_the_last_place_is_known,
);

#[tokio::test]
async fn what_is_read_is_read_while_another_process_writes() {
    let folder = Folder::new();
    let path = folder.file("a.db");
    let database = Database::open(&path).await.unwrap();
    database.add_account("ann", &[]).await.unwrap();
    database.close().await;
    let mut other = <sqlx::SqliteConnection as sqlx::Connection>::connect(&path).await.unwrap();
    sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
    let database = Database::open(&path).await.unwrap();
    assert_eq!(database.accounts().await.unwrap().len(), 1);
    database.status().await.unwrap();
    sqlx::Connection::close(other).await.unwrap();
}

#[cfg(unix)]
#[tokio::test]
async fn a_new_file_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    let modes = |name: &str| {
        ["", "-wal", "-shm"].map(|end| {
            let file = std::fs::metadata(folder.file(&format!("{name}{end}"))).unwrap();
            file.permissions().mode() & 0o777
        })
    };
    let database = Database::open(&folder.file("a.db")).await.unwrap();
    assert_eq!(modes("a.db"), [0o600; 3]);
    database.close().await;
    // One that is there keeps the mode that somebody gave it.
    let group = std::fs::Permissions::from_mode(0o640);
    std::fs::set_permissions(folder.file("a.db"), group).unwrap();
    let database = Database::open(&folder.file("a.db")).await.unwrap();
    assert_eq!(modes("a.db"), [0o640; 3]);
    database.close().await;
}

#[tokio::test]
async fn an_embedded_commit_acknowledges_with_it() {
    use std::time::Duration;
    use tweetfilter_stream::buffer::{Batch, Buffer, Encoded, EntryId, Most};
    use tweetfilter_stream::store::{Outcome, Store, StoreError};
    let folder = Folder::new();
    let database = Database::open(&folder.file("a.db")).await.unwrap();
    let buffer = database.buffer().unwrap();
    let fence = buffer.claim("s", "a", Duration::from_secs(60)).await.unwrap().fence;
    let entries = vec![Encoded { key: 1, bytes: b"x".to_vec() }];
    buffer.append(&Batch { source: "s".into(), fence, entries, ..Batch::default() }).await.unwrap();
    let leased = buffer.lease("w", Most::entries(9), Duration::from_secs(60)).await.unwrap();
    let ids: Vec<EntryId> = leased.into_iter().map(|one| one.id).collect();
    assert!(database.commit(&Outcome::default(), &ids).await.unwrap().acked);
    assert_eq!(buffer.stats().await.unwrap().entries, 0);
    // Nobody knew that it happened: it does not happen twice.
    let again = database.commit(&Outcome::default(), &ids).await;
    assert_eq!(again, Err(StoreError::Done(ids)));
    assert_eq!(database.status().await.unwrap().commit, 1);
    // What is another buffer's is left to that.
    let foreign = [EntryId("1700000000000-0".into())];
    assert!(!database.commit(&Outcome::default(), &foreign).await.unwrap().acked);
    database.close().await;
}
