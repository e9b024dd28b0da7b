//! The filters of the demonstration, and whose they are.

use tweetfilter_stream::store::Action;

/// A sample filter.
pub(super) struct Sample {
    /// Account that views the stream, and what we call it.
    pub(super) account: u32,
    pub(super) name: &'static str,
    pub(super) filter: &'static str,
}

/// The people who watch, in the order of the accounts 1, 2 ….
pub(super) const PEOPLE: [&str; 5] = ["Ana", "Kenji", "Layla", "Tom", "Mali"];

const fn sample(account: u32, name: &'static str, filter: &'static str) -> Sample {
    Sample { account, name, filter }
}

/// A dozen of them.
pub(super) const SAMPLES: [Sample; 12] = [
    sample(1, "lluvia", "(lluvia OR chuva) -is:retweet"),
    sample(1, "café", "\"el café\" OR \"o café\" OR #Café"),
    sample(1, "goles", "(gol OR fútbol OR ⚽) lang:es,pt"),
    sample(2, "猫", "猫 OR 고양이 OR แมว OR 🐱"),
    sample(2, "ラーメン", "ラーメン OR 寿司 OR カレー"),
    sample(2, "地震", "地震 OR earthquake OR terremoto OR deprem OR زلزال"),
    sample(3, "قهوة", "القهوة OR #قهوة OR kahve"),
    sample(3, "İstanbul", "(istanbul OR ankara) lang:tr"),
    sample(4, "snow", "snow* -is:reply"),
    sample(4, "on rails", "(train OR tram OR \"the bus\"~4) -is:retweet"),
    sample(4, "loud", "caps:>60 length:>=20 lang:en"),
    sample(5, "ฝน", "ฝน OR 비 OR 雨"),
];

/// Those of who looks on in a browser: names, texts, and what they do.
pub(super) const VISITOR: [(&str, &str, Action); 5] = [
    ("snow", "(snow* OR 雪 OR nieve OR neige) -is:reply", Action::Highlight),
    ("cats", "cat* OR gato OR chat OR 猫 OR 고양이 OR แมว OR 🐱", Action::Highlight),
    ("football", "football OR fútbol OR futebol OR サッカー OR ⚽", Action::Highlight),
    ("pictures", "has:images -is:retweet", Action::Show),
    ("loud", "caps:>60 length:>=20", Action::Hide),
];

#[cfg(test)]
mod tests {
    use tweetfilter_core::Expression;
    use tweetfilter_core::syntax::NodeKind;

    use super::{SAMPLES, VISITOR};

    #[test]
    fn what_stands_beside_words_to_choose_from_holds_for_each_of_them() {
        let samples = SAMPLES.iter().map(|sample| sample.filter);
        for text in samples.chain(VISITOR.iter().map(|(_, text, _)| *text)) {
            let expression = Expression::parse(text).unwrap();
            let NodeKind::Or(any) = &expression.root().kind else { continue };
            let last_alone = any.iter().any(|part| matches!(part.kind, NodeKind::And(_)));
            assert!(!last_alone, "without parentheses, only one of the words is meant: {text}");
        }
    }
}
