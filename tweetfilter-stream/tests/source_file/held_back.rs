//! What X held back while a file was recorded.

use super::*;

/// What X says of posts that it held back, so many on a connection, at a minute.
fn limit(track: u64, minute: i64) -> String {
    format!("{{\"limit\":{{\"track\":{track},\"timestamp_ms\":\"{}\"}}}}\r\n", minute * 60_000)
}

#[tokio::test]
async fn what_was_held_back_while_it_was_recorded_is_a_gap_wherever_it_is_read_on() {
    let folder = Folder::new("held-back");
    let first = folder.file("a.ndjson", [limit(20, 1), limit(50, 2), limit(70, 12), limit(80, 13)].concat());
    // The rest of this one may come, and what was said before it is told all the same.
    let second =
        folder.file("b.ndjson", [limit(90, 15), limit(1, 30), limit(2, 31)].concat() + "[{\"n\":1},");
    let paths = [first, second];
    let (told, cursors) = gaps(FileSource::open(&paths).with_options(SMALL)).await;
    let said: Vec<_> = told.iter().map(|gap| (gap.from / 60_000, gap.to / 60_000, gap.missing)).collect();
    let expected = [(1, 1, 20), (2, 12, 50), (13, 15, 20), (30, 30, 1), (31, 31, 1)];
    assert_eq!(said, expected.map(|(from, to, missing)| (from, to, Some(missing))));
    assert!(told[0].reason.contains("while this was recorded"), "{told:?}");
    assert_eq!(gaps(FileSource::open(&paths).with_options(SMALL)).await.0, told, "the same again");
    for (cursor, before) in cursors {
        let rest = FileSource::open(&paths).with_options(SMALL).resume(&cursor).expect("its own cursor");
        assert_eq!(gaps(rest).await.0, told[before..], "{cursor}");
    }
}

/// From and to, in minutes, and how many are missing.
fn minutes(told: &[Gap]) -> Vec<(Millis, Millis, u64)> {
    told.iter().map(|gap| (gap.from / 60_000, gap.to / 60_000, gap.missing.unwrap_or(0))).collect()
}

#[tokio::test]
async fn each_of_several_recordings_begins_with_a_connection_unless_it_goes_on_where_one_ended() {
    let folder = Folder::new("recordings");
    let post = |minute: i64| format!("{{\"text\":\"a\",\"timestamp_ms\":\"{}\"}}\r\n", minute * 60_000);
    let one = post(0) + &limit(100, 1) + &post(2);
    for (another, told) in [
        (post(960) + &limit(60, 961) + &post(962), vec![(1, 1, 100), (961, 961, 60)]),
        (post(960) + &limit(150, 961) + &post(962), vec![(1, 1, 100), (961, 961, 150)]),
        // Cut by the clock, a file goes on with the count of the one before.
        (post(3) + &limit(150, 4), vec![(1, 1, 100), (4, 4, 50)]),
        (limit(150, 4) + &post(5), vec![(1, 1, 100), (4, 4, 50)]),
        // There is no such thing as a count that has become less.
        (post(3) + &limit(60, 4), vec![(1, 1, 100), (4, 4, 60)]),
        // One that does not say when it was recorded goes on with nothing.
        ("{\"text\":\"a\"}\n{\"limit\":{\"track\":150}}\n".to_owned(), vec![(1, 1, 100), (2, 2, 150)]),
    ] {
        let files = [folder.file("a", &one), folder.file("b", &another)];
        let members = [("m", one.clone().into_bytes()), ("m", another.clone().into_bytes())];
        for paths in [&files[..], &[folder.file("c.tar", tar(&members))]] {
            let (found, cursors) = gaps(FileSource::open(paths).with_options(SMALL)).await;
            assert_eq!(minutes(&found), told, "{another}");
            for (cursor, before) in cursors {
                let rest =
                    FileSource::open(paths).with_options(SMALL).resume(&cursor).expect("its own cursor");
                assert_eq!(gaps(rest).await.0, found[before..], "{another} behind {cursor}");
            }
        }
    }
}

#[tokio::test]
async fn where_a_file_ended_before_it_grew_changes_no_other_gap() {
    let folder = Folder::new("grown");
    let until = |end: i64| (0..end).map(|n| limit(10 * n.unsigned_abs() + 10, n)).collect::<String>();
    let path = folder.file("a", until(15));
    let (first, cursors) = gaps(FileSource::open([&path])).await;
    assert_eq!(minutes(&first), [(0, 0, 10), (1, 10, 100), (11, 14, 40)]);
    folder.file("a", until(35));
    let (cursor, _) = cursors.last().expect("one at the end");
    let grown = gaps(FileSource::open([&path]).resume(cursor).expect("its own cursor")).await.0;
    assert_eq!(minutes(&grown), [(15, 20, 60), (21, 30, 100), (31, 34, 40)]);
    // Read again, all but the one in which it ended are the same.
    let again = minutes(&gaps(FileSource::open([&path])).await.0);
    assert_eq!(again, [(0, 0, 10), (1, 10, 100), (11, 20, 100), (21, 30, 100), (31, 34, 40)]);
}

#[tokio::test]
async fn counts_by_turns_are_of_one_connection_however_far_they_are_apart() {
    for (counts, missing) in [
        // What was told of the second before the first came again is not told twice.
        (&[1000, 10, 1001, 11, 1002, 12, 1003, 13][..], 1010),
        (&[1000, 10, 1001, 11, 1002, 12, 1008, 14, 1030, 15], 1030),
        (&[1000, 10, 12, 2, 1001, 11, 3, 1003], 1014),
        // Who counts anew comes to more than before bit by bit, or when nobody is left who came by turns.
        (&[100, 3, 60, 150], 250),
        (&[1000, 1, 2, 3, 4, 5, 6, 7, 8, 9, 1001], 2001),
    ] {
        let recorded: String = counts.iter().map(|count| limit(*count, 1)).collect();
        let (told, _) = gaps(FileSource::from_reader("x", std::io::Cursor::new(recorded))).await;
        assert_eq!(told.iter().filter_map(|gap| gap.missing).sum::<u64>(), missing, "{counts:?}");
    }
}

#[tokio::test]
async fn a_message_counts_however_it_is_spaced_and_absurd_counts_do_not() {
    let spaced = "{\n  \"limit\": {\n    \"track\": 7,\n    \"timestamp_ms\": \"60000\"\n  }\n}\n";
    let disconnect = "{ \"disconnect\" : { \"code\": 4 } }\n";
    for (recorded, told) in [
        (spaced.to_owned(), vec![(1, 1, 7)]),
        (spaced.replace('\n', "") + "\n", vec![(1, 1, 7)]),
        ([&limit(5, 1), disconnect, &limit(4, 2)].concat(), vec![(1, 1, 5), (2, 2, 4)]),
        ([limit(5, 1), limit(u64::MAX, 1), limit(9, 12)].concat(), vec![(1, 1, 5), (12, 12, 4)]),
    ] {
        let (found, _) = gaps(FileSource::from_reader("x", std::io::Cursor::new(recorded.clone()))).await;
        assert_eq!(minutes(&found), told, "{recorded}");
    }
}
