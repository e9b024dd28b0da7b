//! Settings come from options, the environment and a file, in this order, and say which of them it was.

use std::collections::BTreeMap;

use tweetfilter_http::parts::{Kind, SourceSettings};

use crate::support::{Ended, Files, command};

/// Of each setting: its key, option, variable, and how three different values are said and shown.
const KEYS: &[(&str, &str, &str, [&str; 3])] = &[
    ("database", "--database", "TWEETFILTER_DATABASE", ["'a.db'", "'b.db'", "'c.db'"]),
    ("buffer", "--buffer", "TWEETFILTER_BUFFER", ["'redis://a'", "'redis://b'", "'redis://c'"]),
    (
        "allow-unsafe-buffer",
        "--allow-unsafe-buffer",
        "TWEETFILTER_ALLOW_UNSAFE_BUFFER",
        ["true", "false", "true"],
    ),
    ("instance", "--instance", "TWEETFILTER_INSTANCE", ["'a'", "'b'", "'c'"]),
    ("keep", "--keep", "TWEETFILTER_KEEP", ["'matched'", "'all'", "'matched'"]),
    ("keep-days", "--keep-days", "TWEETFILTER_KEEP_DAYS", ["1", "2", "3"]),
    ("disk-reserve", "--disk-reserve", "TWEETFILTER_DISK_RESERVE", ["'1GiB'", "'5%'", "'0'"]),
    ("owner-budget", "--owner-budget", "TWEETFILTER_OWNER_BUDGET", ["1.5", "2.5", "0.0"]),
    ("listen", "--listen", "TWEETFILTER_LISTEN", ["'[::1]:1'", "'[::1]:2'", "'[::1]:3'"]),
    ("metrics", "--metrics", "TWEETFILTER_METRICS", ["'[::1]:1'", "'[::1]:2'", "'off'"]),
    ("watch", "--watch", "TWEETFILTER_WATCH", ["['a']", "['b', 'c']", "['d']"]),
    ("lookup", "--no-lookup", "TWEETFILTER_NO_LOOKUP", ["false", "true", "false"]),
    (
        "lookup-address",
        "--lookup-address",
        "TWEETFILTER_LOOKUP_ADDRESS",
        ["'https://a'", "'https://b'", "'http://localhost:1'"],
    ),
    ("log-format", "--log-format", "TWEETFILTER_LOG_FORMAT", ["'json'", "'human'", "'json'"]),
    ("log", "--log", "TWEETFILTER_LOG", ["'warn'", "'debug'", "'error'"]),
];

/// By key, the value and where it is from.
fn shown(files: &Files, options: &[&str], variables: &[(&str, &str)]) -> BTreeMap<String, (String, String)> {
    let mut command = command();
    command.env_remove("TWEETFILTER_LISTEN").env_remove("TWEETFILTER_DISK_RESERVE");
    command.args(["config", "show"]).args(options);
    let output = command.envs(variables.iter().copied()).current_dir(files.path("")).output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{options:?} {variables:?}: {error}");
    let text = String::from_utf8(output.stdout).unwrap();
    let (settings, _) = text.split_once("\n[api]").unwrap();
    settings
        .lines()
        .map(|line| {
            let (setting, origin) = line.split_once("  # ").unwrap();
            let (key, value) = setting.split_once(" = ").unwrap();
            (key.to_owned(), (value.replace('"', "'"), origin.to_owned()))
        })
        .collect()
}

/// A value as an option says it.
fn plain(value: &str) -> String {
    let list = value.strip_prefix('[').and_then(|value| value.strip_suffix(']'));
    list.unwrap_or(value).replace('\'', "").replace(", ", ",")
}

#[test]
fn each_key_can_be_an_option_a_variable_or_in_the_file_and_says_which() {
    let files = Files::new();
    let keys: Vec<_> = shown(&files, &[], &[]).into_keys().collect();
    let mut known: Vec<_> = KEYS.iter().map(|(key, ..)| *key).collect();
    known.sort_unstable();
    assert_eq!(keys, known, "a key is not tried here");
    for &(key, option, variable, [first, second, third]) in KEYS {
        let files = Files::new().with("tweetfilter.toml", format!("{key} = {third}\n"));
        let is_flag = matches!(first, "true" | "false");
        // A flag is there or not; `--no-lookup` and its variable say the opposite of the key.
        let said = match (is_flag, key) {
            (true, "lookup") => "no".to_owned(),
            _ => plain(second),
        };
        let value = plain(first);
        let options = if is_flag { vec![option] } else { vec![option, &value] };
        let variables = [(variable, &*said)];
        let of =
            |options: &[&str], variables: &[(&str, &str)]| shown(&files, options, variables)[key].clone();
        let holds = |value: &str, origin: &str| (value.to_owned(), origin.to_owned());
        assert_eq!(of(&[], &[]), holds(third, "tweetfilter.toml"));
        assert_eq!(of(&[], &variables), holds(second, &format!("environment {variable}")));
        assert_eq!(of(&options, &[]), holds(first, &format!("option {option}")));
        assert_eq!(of(&options, &variables), holds(first, &format!("option {option}")));
        assert_eq!(shown(&Files::new(), &[], &[])[key].1, "default");
        let elsewhere = Files::new().with("other.toml", format!("{key} = {third}\n"));
        let found = shown(&elsewhere, &["--config", "other.toml"], &[])[key].clone();
        assert_eq!(found, holds(third, "other.toml"));
    }
}

#[test]
fn a_variable_that_is_empty_says_nothing() {
    for &(key, _, variable, [_, _, third]) in KEYS {
        let files = Files::new().with("tweetfilter.toml", format!("{key} = {third}\n"));
        let found = shown(&files, &[], &[(variable, "")])[key].clone();
        assert_eq!(found, (third.to_owned(), "tweetfilter.toml".to_owned()), "{variable}");
    }
    let files = Files::new().with("tweetfilter.toml", "keep-days = 7\n");
    let of_file = ("7".to_owned(), "tweetfilter.toml".to_owned());
    assert_eq!(shown(&files, &[], &[("TWEETFILTER_CONFIG", "")])["keep-days"], of_file);
    assert_eq!(shown(&Files::new(), &[], &[("TWEETFILTER_CONFIG", "")])["keep-days"].1, "default");
}

#[test]
fn a_level_that_is_none_is_refused_wherever_it_is_said() {
    let refused = |ended: Ended, origin: &str| {
        assert_eq!(ended.code, 2, "{}", ended.out);
        let said = format!("`log`, which is from {origin}: \"infoo\" is no level: say off, error, ");
        assert!(ended.err.contains(&said) && ended.err.contains("info,sqlx=debug"), "{}", ended.err);
    };
    for command in [&["config", "show"][..], &["account", "add", "ann"], &["work", "--until-empty"]] {
        let files = Files::new();
        refused(files.run(&[command, &["--log", "infoo"]].concat()), "option --log");
        assert_eq!(std::fs::read_dir(files.path("")).unwrap().count(), 0, "{command:?}");
        let files = files.with("tweetfilter.toml", "log = \"warn,infoo\"\n");
        refused(files.run(command), "tweetfilter.toml");
    }
    let by_variable = command().args(["config", "show"]).env("TWEETFILTER_LOG", "infoo").output().unwrap();
    assert_eq!(by_variable.status.code(), Some(2));
    for log in ["off", "DEBUG", "info,sqlx=debug", "tweetfilter_http::parts=trace"] {
        let ended = Files::new().run(&["config", "show", "--log", log]);
        assert_eq!(ended.code, 0, "{log}: {}", ended.err);
    }
}

#[test]
fn an_address_of_a_source_that_nothing_could_use_is_refused_by_its_key() {
    for (kind, address, way) in [
        ("jetstream", "https://a.example", "wss://HOST/PATH"),
        ("jetstream", "a.example", "wss://"),
        ("x-filter", "a.example", "https://"),
        ("x-filter", "http://a.example", "https is needed"),
        ("x-v2", "wss://a.example", "https is needed"),
        ("mastodon", "mastodon.example", "https://"),
    ] {
        let source = format!(
            "[source.\"b c\"]\nkind = \"{kind}\"\ntoken-variable = \"PATH\"\naudience = \"account ann\"\naddress = \"{address}\"\n"
        );
        let files = Files::new().with("tweetfilter.toml", source);
        for command in [&["config", "show"][..], &["serve"], &["ingest"]] {
            let refused = files.run(command);
            assert_eq!(refused.code, 2, "{kind} {address}: {}", refused.out);
            let said = "`source.\"b c\".address`, which is from tweetfilter.toml: ";
            assert!(refused.err.contains(said) && refused.err.contains(way), "{address}: {}", refused.err);
        }
        assert!(!files.path("tweetfilter.db").exists(), "nothing was begun");
    }
    for (kind, address) in
        [("jetstream", "ws://127.0.0.1:1/subscribe"), ("x-site", "https://a.example/s.json")]
    {
        let source = format!("[source.a]\nkind = \"{kind}\"\naddress = \"{address}\"\n");
        let shown = Files::new().with("tweetfilter.toml", source).run(&["config", "show"]);
        assert_eq!(shown.code, 0, "{address}: {}", shown.err);
    }
}

#[test]
fn a_lookup_can_be_switched_off_in_the_file_as_by_the_option() {
    for (said, holds) in [("no-lookup = true", "false"), ("no-lookup = false", "true")] {
        let files = Files::new().with("tweetfilter.toml", said);
        assert_eq!(
            shown(&files, &[], &[])["lookup"],
            (holds.to_owned(), "tweetfilter.toml".to_owned()),
            "{said}"
        );
    }
    let both = Files::new().with("tweetfilter.toml", "lookup = true\nno-lookup = true");
    let Ended { code, err, .. } = both.run(&["config", "show"]);
    assert!(code != 0 && err.contains("leave one of them out"), "{err}");
}

#[test]
fn what_is_shown_is_a_file_of_settings_without_passwords() {
    let settings = "database = \"mysql://tf:secret@db/tf\"\nkeep-days = 7\n[api]\nrate = 3.0\n\
                    [source.people]\nkind = \"x-site\"\ntoken-file = \"t\"\n";
    let files = Files::new().with("tweetfilter.toml", settings);
    let Ended { code, out, err } = files.run(&["config", "show"]);
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("database = \"mysql://tf@db/tf\"  # tweetfilter.toml\n"), "{out}");
    assert!(!out.contains("secret"), "{out}");
    let again = Files::new().with("tweetfilter.toml", &out).run(&["config", "show"]);
    assert_eq!(again.code, 0, "{}", again.err);
    for line in ["keep-days = 7  #", "\nrate = 3.0  #", "\n[source.people]\n", "\nkind = \"x-site\"  #"] {
        assert!(out.contains(line) && again.out.contains(line), "{line}: {out}");
    }
    // Each says where it is from, those in tables too.
    let lines = out.lines().filter(|line| !line.is_empty() && !line.starts_with('['));
    assert!(lines.clone().count() > 20 && lines.clone().all(|line| line.contains("  # ")), "{out}");
    for line in ["rate = 3.0  # tweetfilter.toml", "kind = \"x-site\"  # tweetfilter.toml"] {
        assert!(lines.clone().any(|shown| shown == line), "{line}: {out}");
    }
    let of_api = out.split_once("\n[api]\n").unwrap().1.split_once("\n[").unwrap().0;
    assert!(of_api.lines().filter(|line| line.ends_with("  # default")).count() > 5, "{of_api}");
    assert_eq!(of_api.matches("tweetfilter.toml").count(), 1, "{of_api}");
}

#[test]
fn sources_are_shown_without_their_secrets_and_can_be_read_again() {
    let settings = "[source.a]\nkind = \"x-filter\"\naddress = \"https://u:hush@a.example/s?api_key=hush&x=1\"\n\
                    [source.a.parameters]\ntrack = \"snow\"\naccess_token = \"hush\"\n\
                    [source.\"b c\"]\nkind = \"jetstream\"\n[source.\"b c\".parameters]\nwantedDids = \"did:plc:a\"\n";
    let files = Files::new().with("tweetfilter.toml", settings);
    let Ended { code, out, err } = files.run(&["config", "show"]);
    assert_eq!(code, 0, "{err}");
    assert!(!out.contains("hush"), "{out}");
    let again = Files::new().with("tweetfilter.toml", &out).run(&["config", "show"]);
    assert_eq!(again.code, 0, "{}", again.err);
    for line in [
        "track = \"snow\"  # ",
        "https://u@a.example/s?api_key=HIDDEN&x=1",
        "wantedDids = \"did:plc:a\"  # ",
        "[source.\"b c\".parameters]\n",
    ] {
        assert!(out.contains(line) && again.out.contains(line), "{line}: {out}\n{}", again.out);
    }
}

#[test]
fn an_address_that_cannot_be_read_is_explained_without_its_password() {
    for (option, address) in [("--database", "mysql://tf:hu/sh@db/tf"), ("--buffer", "redis://tf:hu/sh@db")] {
        let ended = Files::new().run(&["work", "--until-empty", option, address]);
        assert_eq!(ended.code, 2);
        assert!(ended.err.contains("%2F for /") && !ended.err.contains("hu/sh"), "{}", ended.err);
    }
}

#[test]
fn an_address_that_nothing_could_use_is_refused_with_where_it_is_from_and_a_way_out() {
    for (option, address, way) in [
        ("--listen", "foo", "127.0.0.1:8080"),
        ("--listen", "127.0.0.1:99999", "HOST:PORT"),
        ("--metrics", "http://127.0.0.1:9464", "HOST:PORT"),
        ("--database", "postgres://x", "mysql://"),
        ("--database", ":memory:", "the path of a file"),
        ("--database", "sqlite://:memory:", "the path of a file"),
        ("--database", "sqlite::memory:", "the path of a file"),
        ("--database", "file:x?mode=memory", "the path of a file"),
        ("--database", "sqlite:x.db", "./sqlite:"),
        ("--database", "", "the path of a file"),
        ("--buffer", "localhost", "redis://"),
        ("--buffer", "http://localhost", "redis://"),
        ("--lookup-address", "http://a.example", "--no-lookup"),
        ("--lookup-address", "nowhere", "--no-lookup"),
    ] {
        let files = Files::new();
        for command in [&["config", "show"][..], &["account", "add", "ann"]] {
            let refused = files.run(&[command, &[option, address]].concat());
            assert_eq!(refused.code, 2, "{option} {address}: {}", refused.out);
            assert!(refused.err.contains(&format!("from option {option}: ")), "{address}: {}", refused.err);
            assert!(refused.err.contains(way), "{option} {address}: {}", refused.err);
        }
        assert_eq!(std::fs::read_dir(files.path("")).unwrap().count(), 0, "{option} {address}");
        let key = &option[2..];
        // A variable says where not to listen while tests run.
        if key != "listen" {
            let files = files.with("tweetfilter.toml", format!("{key} = \"{address}\"\n"));
            let refused = files.run(&["config", "show"]);
            assert!(refused.code == 2 && refused.err.contains("from tweetfilter.toml: "), "{}", refused.err);
        }
    }
    let files = Files::new();
    for (option, address) in [
        ("--listen", "localhost:0"),
        ("--metrics", "off"),
        ("--database", "mariadb://tf@db/tf"),
        ("--database", "sqlite://a.db"),
        ("--buffer", "rediss://:p%2F@buffer/1"),
        ("--buffer", ""),
        ("--lookup-address", "https://appview.example"),
    ] {
        let shown = files.run(&["config", "show", option, address]);
        assert_eq!(shown.code, 0, "{option} {address}: {}", shown.err);
    }
}

#[test]
fn no_value_of_the_settings_is_repeated() {
    let source = "[source.a]\nkind = \"x-filter\"\n";
    for (text, said) in [
        ("keep-days = 7\nbuffer = \"redis://tf:hush@db\n".to_owned(), "line 2"),
        ("keep-days = 7\ndatabase = \"mysql://tf:hush@db/tf\" tf\n".to_owned(), "line 2"),
        ("keep-days = 7\nlog = \"\"\"\nhush \\z\"\"\"\n".to_owned(), "line 3"),
        (
            format!("{source}parameters = \"access_token=hush\"\n"),
            "line 3, `source.a.parameters`: expected a table",
        ),
        (format!("{source}rate = \"hush\"\n"), "line 3, `source.a.rate`: expected a number"),
        ("[source.a]\nkind = \"hush\"\n".to_owned(), "line 2, `source.a.kind`: expected one of `file`"),
        ("api = \"hush\"\n".to_owned(), "line 1, `api`: expected a table"),
        ("keep-days = \"hush\"\n".to_owned(), "line 1, `keep-days`: expected a whole number"),
    ] {
        let wrong = Files::new().with("tweetfilter.toml", &text).run(&["config", "show"]);
        assert_eq!(wrong.code, 2, "{text}");
        assert!(wrong.err.contains("tweetfilter.toml") && !wrong.err.contains("hush"), "{}", wrong.err);
        assert!(wrong.err.contains(said), "{said}: {}", wrong.err);
    }
}

#[test]
fn what_is_no_setting_or_no_value_of_it_is_refused_with_its_place() {
    for (text, said) in [
        ("keep-day = 7\n", "keep-day"),
        ("keep = \"some\"\n", "matched"),
        ("owner-budget = -1.0\n", "must be a number of microseconds"),
        ("disk-reserve = \"much\"\n", "must be a size such as 1GiB"),
        ("disk-reserve = \"99%\"\n", "must be at most half of the disk"),
        ("config = \"x\"\n", "config"),
    ] {
        let wrong = Files::new().with("tweetfilter.toml", text).run(&["config", "show"]);
        assert_eq!(wrong.code, 2, "{text}");
        assert!(wrong.err.contains("tweetfilter.toml") && wrong.err.contains(said), "{}", wrong.err);
    }
    let wrong = Files::new().run(&["config", "show", "--owner-budget", "much"]);
    assert!(wrong.err.contains("must be a number of microseconds"), "{}", wrong.err);
}

#[test]
fn a_reserve_that_leaves_no_room_for_posts_is_refused_wherever_it_is_said() {
    let files = Files::new();
    let by_option = files.run(&["account", "list", "--disk-reserve", "51%"]);
    let by_variable =
        command().args(["account", "list"]).env("TWEETFILTER_DISK_RESERVE", "51%").output().unwrap();
    // No disk has room for that, which is known once there is a store.
    let too_large = files.run(&["account", "add", "ann", "--disk-reserve", "9000000TiB"]);
    for (code, said) in [
        (by_option.code, &by_option.err),
        (by_variable.status.code().unwrap(), &String::from_utf8(by_variable.stderr).unwrap()),
        (too_large.code, &too_large.err),
    ] {
        assert_eq!(code, 2, "{said}");
        assert!(said.contains("must be at most half of the disk (50%)"), "{said}");
    }
    let sizes = "It is 9000000TiB, and the store's disk has ";
    assert!(too_large.err.contains(sizes), "{}", too_large.err);
}

#[test]
fn what_would_keep_everybody_out_is_refused_with_its_place_and_what_is_allowed() {
    for (setting, said) in [
        ("rate = 0.0", "`api.rate`: must be a number from 0.001 on"),
        ("rate = nan", "`api.rate`: must be a number"),
        ("burst = 0.5", "`api.burst`: must be a number from 1 on"),
        ("streams = 0", "`api.streams`: must be a whole number from 1 on"),
        ("connections = 0", "`api.connections`: must be a whole number from 1 on"),
        ("body-bytes = 1023", "`api.body-bytes`: must be a whole number from 1024 on"),
        ("public-address = \"a.example\"", "`api.public-address`: must be https:// or http:// and a host"),
    ] {
        let files = Files::new().with("tweetfilter.toml", format!("keep-days = 7\n[api]\n{setting}\n"));
        let wrong = files.run(&["config", "show"]);
        assert_eq!(wrong.code, 2, "{setting}");
        let said = format!("line 3, {said}");
        assert!(wrong.err.contains("tweetfilter.toml") && wrong.err.contains(&said), "{}", wrong.err);
    }
    // The least that is allowed, whole numbers for such with a fraction, and none of what one can do without.
    let least = "[api]\nrate = 0.001\nburst = 1\nstreams = 1\nconnections = 1\nbody-bytes = 1024\nfilters = 0\nsets = 0\n\
        public-address = \"http://a.example/\"\n";
    let ended = Files::new().with("tweetfilter.toml", least).run(&["config", "show"]);
    assert_eq!(ended.code, 0, "{}", ended.err);
}

#[test]
fn every_kind_and_key_of_a_source_is_described() {
    let said = include_str!("../../deploy/README.md");
    let all = SourceSettings {
        audience: Some("public".into()),
        files: vec!["-".into()],
        rate: Some(1.0),
        as_recorded: true,
        address: Some("https://a.example".into()),
        token_file: Some("t".into()),
        token_variable: Some("T".into()),
        keys_file: Some("k".into()),
        ca_file: Some("c".into()),
        delimited: true,
        parameters: BTreeMap::from([("track".into(), "snow".into())]),
        ..SourceSettings::new(Kind::XFilter)
    };
    let all = serde_json::to_value(&all).unwrap();
    let kinds = [
        Kind::File,
        Kind::Generated,
        Kind::Jetstream,
        Kind::XSample,
        Kind::XFilter,
        Kind::XUser,
        Kind::XSite,
        Kind::XV2,
        Kind::Mastodon,
    ];
    let kinds = kinds.map(|kind| serde_json::to_value(kind).unwrap().as_str().unwrap().to_owned());
    let keys = all.as_object().unwrap().keys().cloned();
    for word in keys.chain(kinds) {
        assert!(said.contains(&format!("`{word}`")), "{word}");
    }
}

#[test]
fn what_a_source_would_not_heed_is_refused_before_it_begins() {
    for (source, said) in [
        (
            "kind = \"generated\"\nparameters = { acounts = \"50\" }",
            "no parameter acounts; it takes posts, seed",
        ),
        ("kind = \"generated\"\nparameters = { accounts = \"3\", audience = \"4\" }", "number from 0 to 3"),
        ("kind = \"generated\"\nfiles = [\"a\"]", "files is of no use to a generated source"),
        (
            "kind = \"file\"\nfiles = [\"a\"]\nparameters = { track = \"snow\" }",
            "parameters are of X, Jetstream",
        ),
        (
            "kind = \"x-user\"\naudience = \"account ann\"\nkeys-file = \"k\"\ntoken-file = \"t\"",
            "remove keys-file to send the token, or token-file and token-variable to sign with the keys",
        ),
        (
            "kind = \"x-site\"\nkeys-file = \"k\"\ntoken-variable = \"PATH\"",
            "remove keys-file to send the token",
        ),
        ("kind = \"x-v2\"\nkeys-file = \"k\"\ntoken-file = \"t\"", "streams of API v1.1 only: remove it"),
        ("kind = \"x-v2\"\ntoken-variable = \"PATH\"\ntoken-file = \"t\"", "remove one of them"),
    ] {
        let files = Files::new().with("tweetfilter.toml", format!("[source.live]\n{source}\n"));
        for command in ["serve", "ingest"] {
            let ended = files.run(&[command]);
            assert_eq!(ended.code, 2, "{source}: {}", ended.err);
            assert!(ended.err.contains("source live: ") && ended.err.contains(said), "{}", ended.err);
            assert!(!files.path("tweetfilter.db").exists(), "nothing was begun");
        }
    }
}

/// Of an object of settings, the values alone.
fn values(shown: serde_json::Value) -> serde_json::Value {
    match shown {
        serde_json::Value::Object(mut object) => match (object.remove("value"), object.remove("from")) {
            (Some(value), Some(_)) => value,
            _ => object.into_iter().map(|(key, shown)| (key, values(shown))).collect(),
        },
        other => other,
    }
}

#[test]
fn programs_are_told_what_holds_as_people_are() {
    let settings = "keep-days = 7\ndatabase = \"mysql://tf:hush@db/tf\"\n[api]\nburst = 5\n\
                    [source.\"a.b c\"]\nkind = \"x-filter\"\ntoken-file = \"t\"\n\
                    parameters = { track = \"snow\", access_token = \"hush\" }\n";
    let files = Files::new().with("tweetfilter.toml", settings);
    let file: toml::Table = files.run(&["config", "show"]).out.parse().unwrap();
    let out = files.run(&["config", "show", "--json", "--keep", "matched"]).out;
    assert!(out.lines().count() == 1 && !out.contains("hush"), "{out}");
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    for (shown, value, from) in [
        (&json["keep"], "matched".into(), "option --keep"),
        (&json["keep-days"], 7.into(), "tweetfilter.toml"),
        (&json["log"], "info".into(), "default"),
        (&json["api"]["burst"], 5.0.into(), "tweetfilter.toml"),
        (&json["api"]["streams"], file["api"]["streams"].as_integer().into(), "default"),
        (&json["source"]["a.b c"]["parameters"]["track"], "snow".into(), "tweetfilter.toml"),
    ] {
        let value: serde_json::Value = value;
        assert_eq!(*shown, serde_json::json!({ "value": value, "from": from }));
    }
    let (mut told, mut file) = (values(json), serde_json::to_value(file).unwrap());
    // It was said by an option to the one alone.
    (told["keep"], file["keep"]) = Default::default();
    assert_eq!(told, file);
}
