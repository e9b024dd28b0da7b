use super::*;

fn tweet(id: u64, text: &str) -> String {
    format!(r#"{{"id_str":"{id}","text":"{text}","user":{{"id_str":"3"}}}}"#)
}

fn envelope_of(user: &str, message: &str) -> String {
    format!(r#"{{"for_user":{user},"message":{message}}}"#)
}

fn site() -> Gather {
    Gather::new("site", Audience::Viewers(Vec::new()))
}

fn entries(batch: &Batch) -> Vec<Entry> {
    batch.entries.iter().map(|encoded| Entry::from_slice(&encoded.bytes).unwrap()).collect()
}

fn viewers(names: &[&str]) -> Audience {
    Audience::Viewers(names.iter().map(|&name| name.to_owned()).collect())
}

#[test]
fn copies_become_one_entry_in_whatever_form_the_user_stands() {
    let mut gather = site();
    let one = tweet(1, "Snow");
    // The last is spaced otherwise, so it has to be decoded; its id tells that it is a copy.
    let spaced = r#"{"for_user": "12", "message": {"id_str": "1", "text": "Snow", "user": {"id_str": "3"}}}"#;
    for line in [
        envelope_of("\"7\"", &one),
        envelope_of("98765432109876", &one),
        envelope_of("7", &one),
        spaced.into(),
    ] {
        gather.line(line.as_bytes(), 5);
    }
    gather.line(envelope_of("\"9\"", &tweet(2, "Rain")).as_bytes(), 6);
    let batch = gather.take();
    let entries = entries(&batch);
    assert_eq!(entries[0].to, viewers(&["7", "98765432109876", "12"]));
    assert_eq!(entries[1].to, viewers(&["9"]));
    assert_eq!((entries.len(), entries[0].at, batch.counts.posts, batch.counts.merged), (2, 5, 5, 3));
    assert!(batch.counts.balance() && gather.is_empty());
    assert_ne!(batch.entries[0].key, batch.entries[1].key);
}

#[test]
fn many_viewers_of_a_post_are_found_in_a_set_and_none_is_there_twice() {
    let mut gather = site();
    let one = tweet(1, "Snow");
    let users: Vec<String> = (0..500).map(|user| user.to_string()).collect();
    for round in 0..2 {
        let before = gather.bytes();
        for user in &users {
            gather.line(envelope_of(user, &one).as_bytes(), 5);
        }
        // Looking through all of them for each copy would take as long as their number squared.
        assert_eq!(gather.pending[0].known.len(), users.len());
        let room = users.iter().map(|user| 2 * size(user)).sum::<usize>();
        let grew = gather.bytes() - before;
        assert!(if round == 0 { grew > room } else { grew == 0 }, "{grew} of {room}");
    }
    let batch = gather.take();
    assert_eq!(entries(&batch)[0].to, viewers(&users.iter().map(String::as_str).collect::<Vec<_>>()));
    assert_eq!((batch.counts.entries, batch.counts.merged), (1, 999));
}

#[test]
fn a_late_copy_is_an_entry_with_the_same_post() {
    let mut gather = site();
    let one = tweet(1, "Snow");
    gather.line(envelope_of("7", &one).as_bytes(), 1);
    let first = entries(&gather.take()).remove(0);
    gather.line(envelope_of("9", &one).as_bytes(), 2);
    let batch = gather.take();
    let late = entries(&batch).remove(0);
    assert_eq!((late.to, late.at), (viewers(&["9"]), 2));
    assert_eq!(late.content, first.content);
    assert_eq!((batch.counts.entries, batch.counts.merged), (1, 0));
}

#[test]
fn every_line_is_counted_as_one_thing() {
    let mut gather = Gather::new("file", Audience::Public);
    let delete = r#"{"delete":{"status":{"id_str":"5","user_id_str":"3"}}}"#;
    let page = format!(r#"{{"statuses":[{},{}]}}"#, tweet(3, "a"), tweet(4, "b"));
    for line in [
        "",
        "\r",
        &tweet(1, "Snow"),
        &tweet(1, "Snow"),
        delete,
        "{",
        r#"{"limit":{"track":9}}"#,
        &page,
        r#"{"odd":1}"#,
    ] {
        gather.line(line.as_bytes(), 0);
    }
    gather.too_long();
    let notices = gather.notices();
    assert!(matches!(&notices[..], [Event::Limit { undelivered: 9 }]), "{notices:?}");
    let batch = gather.take();
    let counts = &batch.counts;
    assert!(counts.balance(), "{counts:?}");
    assert_eq!((counts.keep_alives, counts.control, counts.posts, counts.merged), (2, 2, 4, 1));
    assert_eq!(counts.undecodable.values().sum::<u64>(), 3);
    let changes = entries(&batch).into_iter().filter_map(|entry| match entry.content {
        Content::Change(change) => Some((entry.to, change)),
        _ => None,
    });
    let expected = Change::Delete { network: "x".into(), id: "5".into() };
    assert_eq!(changes.collect::<Vec<_>>(), [(Audience::Public, expected)]);
}

#[test]
fn a_delete_that_each_viewer_is_told_of_is_one_entry() {
    let mut gather = site();
    let delete = |id: u64| format!(r#"{{"delete":{{"status":{{"id_str":"{id}","user_id_str":"3"}}}}}}"#);
    for (user, id) in [("7", 5), ("9", 5), ("7", 6), ("9", 6)] {
        gather.line(envelope_of(user, &delete(id)).as_bytes(), 0);
    }
    let batch = gather.take();
    assert_eq!((batch.entries.len(), batch.counts.control), (2, 4));
    assert!(batch.counts.balance());
}

#[test]
fn a_new_version_is_never_joined_to_the_old_one() {
    let mut gather = Gather::new("home", Audience::Account("ann".into()));
    let status =
        r#"{\"id\":\"1\",\"uri\":\"https://a.example/1\",\"content\":\"Snow\",\"account\":{\"id\":\"2\"}}"#;
    for kind in ["update", "status.update", "status.update"] {
        gather.line(format!(r#"{{"event":"{kind}","payload":"{status}"}}"#).as_bytes(), 0);
    }
    let batch = gather.take();
    let kinds = entries(&batch).into_iter().map(|entry| matches!(entry.content, Content::Edit(_)));
    assert_eq!(kinds.collect::<Vec<_>>(), [false, true, true]);
    assert!(batch.counts.balance());
}

#[test]
fn which_of_two_versions_came_later_is_known_of_their_entries() {
    let mut gather = Gather::new("home", Audience::Account("ann".into()));
    let status = |id: u64, more: &str| {
        format!(
            r#"{{\"id\":\"{id}\",\"uri\":\"https://a.example/1\",\"content\":\"Snow\",\"account\":{{\"id\":\"2\"}}{more}}}"#
        )
    };
    let edited = r#",\"edited_at\":\"2022-11-23T22:40:10.124Z\""#;
    // An update of a post that was edited before is a version, too.
    let lines =
        [("status.update", 1, ""), ("status.update", 2, ""), ("status.update", 1, ""), ("update", 1, edited)];
    for (kind, id, more) in lines {
        gather.line(format!(r#"{{"event":"{kind}","payload":"{}"}}"#, status(id, more)).as_bytes(), 50);
    }
    gather.line(format!(r#"{{"event":"update","payload":"{}"}}"#, status(2, "")).as_bytes(), 50);
    gather.line(format!(r#"{{"event":"status.update","payload":"{}"}}"#, status(1, "")).as_bytes(), 53);
    let of = |entry: &Entry| (entry.at, matches!(entry.content, Content::Edit(_)));
    let entries: Vec<_> = entries(&gather.take()).iter().map(of).collect();
    assert_eq!(entries, [(50, true), (50, true), (51, true), (52, true), (50, false), (53, true)]);
}

#[test]
fn posts_without_an_id_stay_apart() {
    let mut gather = Gather::new("file", Audience::Public);
    for text in ["a", "b"] {
        gather.line(format!(r#"{{"text":"{text}"}}"#).as_bytes(), 0);
    }
    // A copy is looked for among those that have one, so any number of them costs nothing.
    assert!(gather.waiting.is_empty());
    assert_eq!(gather.take().entries.len(), 2);
}

#[test]
fn what_is_said_of_a_post_again_and_again_is_not_looked_through() {
    let mut gather = site();
    let post = tweet(5, "Snow");
    let delete = r#"{"delete":{"status":{"id_str":"5","user_id_str":"3"}}}"#;
    let withheld = |country: &str| {
        format!(
            r#"{{"status_withheld":{{"id_str":"5","user_id_str":"3","withheld_in_countries":["{country}"]}}}}"#
        )
    };
    let users: Vec<String> = (0..100).map(|user| user.to_string()).collect();
    for (n, user) in users.iter().enumerate() {
        // Each is told of the same twice: the second time it is known.
        let said = withheld(if n % 2 == 0 { "DE" } else { "FR" });
        for message in [said.as_str(), &said, &post, delete] {
            gather.line(envelope_of(user, message).as_bytes(), 0);
        }
    }
    let waiting: Vec<_> = gather.waiting.values().map(|one| (one.posts.len(), one.deletes.len())).collect();
    assert_eq!(waiting, [(1, 1)]);
    let batch = gather.take();
    // A change behind another is one, also where it was said before; a delete and a post are each there once.
    let withheld = |entry: &Entry| matches!(entry.content, Content::Change(Change::StatusWithheld { .. }));
    let entries = entries(&batch);
    assert_eq!((entries.iter().filter(|entry| withheld(entry)).count(), entries.len()), (100, 102));
    assert!(batch.counts.balance() && batch.counts.merged == 99);
    let found = entries.iter().find(|entry| matches!(entry.content, Content::Post(_)));
    assert_eq!(
        found.map(|entry| &entry.to),
        Some(&viewers(&users.iter().map(String::as_str).collect::<Vec<_>>()))
    );
}

#[test]
fn whatever_waits_counts_with_the_bytes_that_it_holds() {
    // A bound on a gather holds only if nothing gets in uncounted: each line is to count with what its entry will have.
    let grown = |gather: &mut Gather, line: String| {
        let before = gather.bytes();
        gather.line(line.as_bytes(), 1);
        gather.bytes() - before
    };
    let mut gather = site();
    let ids: Vec<String> = (0..5_000).map(|n| (1_000_000_000 + n).to_string()).collect();
    let friends = envelope_of("7", &format!(r#"{{"friends":[{}]}}"#, ids.join(",")));
    assert!(grown(&mut gather, friends) > 5_000 * 12);
    let one = tweet(1, "Snow");
    assert!(grown(&mut gather, envelope_of("1", &one)) > 100);
    let copies: usize =
        (1_000_000..1_002_000).map(|n| grown(&mut gather, envelope_of(&n.to_string(), &one))).sum();
    assert!(copies > 2_000 * 9, "{copies}");
    // Somebody who is there already takes no more.
    assert_eq!(grown(&mut gather, envelope_of("1000000", &one)), 0);
    let countries = vec![r#""DE""#; 3_000].join(",");
    let withheld = format!(
        r#"{{"status_withheld":{{"id_str":"5","user_id_str":"3","withheld_in_countries":[{countries}]}}}}"#
    );
    assert!(grown(&mut gather, withheld) > 3_000 * 4);
    let counted = gather.bytes();
    let written: usize = gather.take().entries.iter().map(|entry| entry.bytes.len()).sum();
    assert!(counted >= written, "{counted} counted, {written} written");
    assert_eq!(gather.bytes(), 0);
}

fn changes(batch: &Batch) -> Vec<(Millis, Change)> {
    let change = |entry: Entry| match entry.content {
        Content::Change(change) => Some((entry.at, change)),
        _ => None,
    };
    entries(batch).into_iter().filter_map(change).collect()
}

#[test]
fn an_edit_on_x_deletes_the_versions_before_it() {
    let delete = |id: &str| (5, Change::Delete { network: "x".into(), id: id.into() });
    for line in [
        r#"{"data":{"id":"103","text":"new","author_id":"7","edit_history_tweet_ids":["101","102","103","104"]}}"#,
        r#"{"id_str":"103","text":"new","user":{"id_str":"7"},"edit_history":{"initial_tweet_id":"101","edit_tweet_ids":["101","102","103"]}}"#,
        // Of what it carries, too.
        r#"{"data":{"id":"9","text":"RT","author_id":"8","edit_history_tweet_ids":["9"],"referenced_tweets":[{"type":"retweeted","id":"103"}]},"includes":{"tweets":[{"id":"103","text":"new","author_id":"7","edit_history_tweet_ids":["101","102","103"]}]}}"#,
    ] {
        let mut gather = site();
        for user in ["1", "2"] {
            gather.line(envelope_of(user, line).as_bytes(), 5);
        }
        let batch = gather.take();
        assert_eq!(changes(&batch), [delete("101"), delete("102")], "{line}");
        // It is one line of one post all the same.
        let counts = &batch.counts;
        assert_eq!((counts.lines, counts.posts, counts.merged, counts.control), (2, 2, 1, 0), "{line}");
        assert!(counts.balance() && batch.entries.len() == 3);
    }
    // The first version, a list of one, and one that the post is not in.
    for versions in [r#"["5"]"#, r#"["5","6"]"#, r#"["1","2"]"#] {
        let mut gather = site();
        let line = format!(
            r#"{{"data":{{"id":"5","text":"a","author_id":"7","edit_history_tweet_ids":{versions}}}}}"#
        );
        gather.line(line.as_bytes(), 5);
        assert_eq!(changes(&gather.take()), []);
    }
}

#[test]
fn a_mark_in_a_payload_is_what_its_message_is() {
    let post = |countries: &[&str]| {
        let countries = countries.iter().map(ToString::to_string).collect();
        Change::StatusWithheld { network: "x".into(), id: "1".into(), countries }
    };
    let user = |countries: &[&str]| {
        let countries = countries.iter().map(ToString::to_string).collect();
        Change::UserWithheld { network: "x".into(), author: "7".into(), countries }
    };
    for (line, expected) in [
        (
            r#"{"id_str":"1","text":"a","user":{"id_str":"7"},"withheld_in_countries":["DE","FR"]}"#,
            vec![post(&["DE", "FR"])],
        ),
        (r#"{"id_str":"1","text":"a","user":{"id_str":"7"},"withheld_copyright":true}"#, vec![post(&["XY"])]),
        (
            r#"{"id_str":"1","text":"a","user":{"id_str":"7","withheld_in_countries":["XX"],"withheld_scope":"user"}}"#,
            vec![user(&["XX"])],
        ),
        (
            r#"{"id_str":"1","text":"a","user":{"id_str":"7"},"withheld_in_countries":["DE"],"withheld_scope":"user"}"#,
            vec![user(&["DE"])],
        ),
        (
            r#"{"data":{"id":"1","text":"a","author_id":"7","withheld":{"copyright":false,"country_codes":["DE"]}}}"#,
            vec![post(&["DE"])],
        ),
        (
            r#"{"data":{"id":"1","text":"a","author_id":"7"},"includes":{"users":[{"id":"7","username":"u","withheld":{"country_codes":["DE"]}}]}}"#,
            vec![user(&["DE"])],
        ),
        (
            r#"{"id_str":"2","text":"RT","user":{"id_str":"8"},"retweeted_status":{"id_str":"1","text":"a","user":{"id_str":"7"},"withheld_in_countries":["DE"]}}"#,
            vec![post(&["DE"])],
        ),
        (
            r#"{"status_withheld":{"id_str":"1","user_id":7,"withheld_in_countries":["DE"]}}"#,
            vec![post(&["DE"])],
        ),
        (
            r#"{"id_str":"1","text":"a","user":{"id_str":"7","withheld_in_countries":[]},"withheld_in_countries":[],"withheld_copyright":false}"#,
            vec![],
        ),
    ] {
        let mut gather = site();
        for user in ["1", "2"] {
            gather.line(envelope_of(user, line).as_bytes(), 5);
        }
        let said: Vec<_> = changes(&gather.take()).into_iter().map(|(_, change)| change).collect();
        let once =
            if line.contains("status_withheld") || !expected.is_empty() { &said[..1] } else { &said[..] };
        assert_eq!((once, said.len()), (&expected[..], expected.len()), "{line}");
    }
}

#[test]
fn a_change_has_the_time_at_which_its_stream_said_it() {
    let mut gather = site();
    let account = |micros: u64, active: bool| {
        format!(
            r#"{{"did":"did:plc:a","time_us":{micros},"kind":"account","account":{{"active":{active},"did":"did:plc:a","time":"2030-01-01T00:00:00Z"}}}}"#
        )
    };
    let withheld = |countries: &str| {
        format!(
            r#"{{"status_withheld":{{"id_str":"5","user_id_str":"3","withheld_in_countries":[{countries}]}}}}"#
        )
    };
    let timed = r#"{"user_withheld":{"id":3,"withheld_in_countries":["DE"],"timestamp_ms":"44"}}"#.to_owned();
    for line in
        [account(7_000_000, true), account(8_000_000, false), withheld(r#""DE""#), withheld(""), timed]
    {
        gather.line(line.as_bytes(), 50);
    }
    let times: Vec<_> = changes(&gather.take()).into_iter().map(|(at, _)| at).collect();
    // Of two that were received at one time it is known which is the later.
    assert_eq!(times, [7_000, 8_000, 50, 51, 44]);
}

#[test]
fn what_becomes_of_an_account_is_a_change_of_its_network() {
    let mut gather = site();
    let state = |kind: &str| format!(r#"{{"{kind}":{{"id":7,"timestamp_ms":"44"}}}}"#);
    for user in ["1", "2"] {
        gather.line(envelope_of(user, &state("user_suspend")).as_bytes(), 50);
    }
    gather.line(state("user_unsuspend").as_bytes(), 50);
    let batch = gather.take();
    let status = |active| Change::AccountStatus {
        network: "x".into(),
        author: "7".into(),
        active,
        status: "suspended".into(),
    };
    assert_eq!(changes(&batch), [(44, status(false)), (44, status(true))]);
    assert!(batch.entries.iter().all(|entry| entry.key == key("x", "7")), "in order with one another");
    assert_eq!((batch.counts.control, batch.counts.undecodable.len()), (3, 0));
}

#[test]
fn posts_without_an_id_have_places_that_are_the_same_when_lines_are_read_again() {
    let line = br#"{"text":"snow"}"#;
    let page = br#"{"data":[{"text":"snow"},{"text":"snow"},{"id":"1","text":"snow"}]}"#;
    let places = |gather: &mut Gather| -> Vec<_> {
        entries(&gather.take()).into_iter().map(|entry| entry.place).collect()
    };
    let at = |line| Place { of: "a@0".into(), line };
    let read = |time| {
        let mut gather = Gather::new("s", Audience::Public);
        gather.line_of(line, time, Some(at(1)));
        gather.line_of(line, time, Some(at(2)));
        gather.line_of(page, time, Some(at(3)));
        places(&mut gather)
    };
    let expected = ["a@0:1", "a@0:2", "a@0:3", "a@0:3.2"].map(|place| Some(place.to_owned()));
    assert_eq!(read(7), [&expected[..], &[None]].concat());
    assert_eq!(read(8), read(7));
    // Lines without a place are others each time.
    let mut gather = Gather::new("s", Audience::Public);
    for _ in 0..2 {
        gather.line(line, 7);
    }
    let mut all = places(&mut gather);
    gather.line(line, 7);
    gather.line(line, 8);
    all.extend(places(&mut gather));
    assert!(all.iter().all(Option::is_some), "{all:?}");
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 4, "{all:?}");
}

#[test]
fn what_names_nobody_becomes_no_entry_that_a_worker_would_refuse() {
    let mut gather = site();
    gather.line(envelope_of("\"\"", &tweet(1, "Snow")).as_bytes(), 5);
    gather.line(br#"{"delete":{"status":{"id_str":"","user_id_str":"3"}}}"#, 5);
    gather.line(br#"{"user_withheld":{"id":null,"withheld_in_countries":["DE"]}}"#, 5);
    let batch = gather.take();
    let to: Vec<_> = entries(&batch).into_iter().map(|entry| entry.to).collect();
    assert_eq!(to, [viewers(&[])]);
    assert!(batch.counts.balance() && batch.counts.lines == 3, "{:?}", batch.counts);
}
