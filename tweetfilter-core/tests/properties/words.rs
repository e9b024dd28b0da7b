//! Words in every field, and what is found and counted in any text.

use proptest::collection::vec;
use proptest::prelude::*;
use tweetfilter_core::post::{Annotation, Place};
use tweetfilter_core::{Expression, Post, Scratch};

use super::generated::{self, Choices};
use super::{by_oracle, compiled, ids, told};

/// A character of any kind, often one that the folding treats in a way of its own.
fn character() -> impl Strategy<Value = String> {
    const ODD: &[&str] = &[
        "a",
        "A",
        "é",
        "e\u{301}",
        "ß",
        "İ",
        "ı",
        "i\u{307}",
        "ё",
        "Ё",
        "ø",
        "Æ",
        "ά",
        "ς",
        "ﬁ",
        "½",
        "№",
        "™",
        "´",
        "…",
        "أ",
        "ا",
        "ـ",
        "\u{64e}",
        "\u{654}",
        "ی",
        "ك",
        "ש",
        "\u{5b8}",
        "東",
        "が",
        "か\u{3099}",
        "ｶﾞ",
        "ㅋ",
        "ㅏ",
        "\u{1100}",
        "\u{1161}",
        "하",
        "ก",
        "ำ",
        "क",
        "ि",
        "\u{93c}",
        "\u{301}",
        "\u{308}",
        "\u{323}",
        "\u{200d}",
        "\u{fe0f}",
        "\u{20e3}",
        "\u{ad}",
        "\u{3164}",
        "👍",
        "🏽",
        "👩",
        "❤",
        "🇳",
        "🇴",
        "1",
        "#",
        "*",
        " ",
        "\u{a0}",
        "\u{3000}",
        "\n",
        "\t",
        "\r\n",
        "-",
        "_",
        ".",
        "\"",
        "\\",
        "http://",
        "https://t.co/a",
        "://",
        "HTTP",
        "@al ",
        "#x ",
    ];
    prop_oneof![
        4 => proptest::sample::select(ODD).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
        1 => proptest::char::range('\u{80}', '\u{30ff}').prop_map(String::from),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, max_shrink_iters: 4096, ..ProptestConfig::default() })]

    #[test]
    fn every_form_is_found_in_every_field_as_the_oracle_says(value in vec(any::<u8>(), 20), text in vec(any::<u8>(), 60)) {
        let value = generated::value(&mut Choices::new(&value));
        let text = generated::text(&mut Choices::new(&text));
        for (operator, post) in generated::with_text_for_each(&text) {
            let filter = format!("{operator}{value}");
            let negated = format!("-{filter}");
            let parse = |text: &String| Expression::parse(text).ok();
            let expressions: Vec<Expression> = [filter, negated].iter().filter_map(parse).collect();
            // A list of values is no term of the text.
            if operator.is_empty() && value.starts_with('{') {
                continue;
            }
            let (set, expected) = (compiled(&expressions), by_oracle(&expressions, &post));
            prop_assert_eq!(&ids(&set.matches(&post)), &expected, "{}", told(&expressions, &post));
            let scanned = ids(set.matches_scanned(&mut Scratch::default(), &post));
            prop_assert_eq!(&scanned, &expected, "index off\n{}", told(&expressions, &post));
        }
    }

    #[test]
    fn substrings_values_and_counts_of_any_text_are_as_the_oracle_says(
        text in vec(character(), 0..24),
        from in 0..24_usize,
        length in 0..6_usize,
        upper in any::<bool>(),
    ) {
        let text: String = text.concat();
        let part: String = text.chars().skip(from).take(length).collect();
        let part = if upper { part.to_uppercase() } else { part };
        let quoted = format!("\"{}\"", part.replace('\\', "\\\\").replace('"', "\\\""));
        let filters = [
            format!("contains:{quoted}"),
            format!("entity:{quoted}"),
            format!("place:{quoted}"),
            format!("caps:>={}", from * 5),
            format!("length:>={from}"),
            format!("emoji:>={length}"),
        ];
        let expressions: Vec<Expression> = filters.iter().filter_map(|text| Expression::parse(text).ok()).collect();
        let set = compiled(&expressions);
        for name in [part.clone(), part.to_lowercase(), text.clone()] {
            let mut post = Post::from_text(text.as_str());
            post.annotations.push(Annotation { name: name.clone(), ..Annotation::default() });
            post.place = Some(Place { names: vec![name], ..Place::default() });
            prop_assert_eq!(ids(&set.matches(&post)), by_oracle(&expressions, &post), "{}", told(&expressions, &post));
        }
    }
}
