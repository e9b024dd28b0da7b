//! Filters of several people over one stream: each is told of the posts that reached them, and why.
//!
//! ```sh
//! cargo run -p tweetfilter-core --example audience
//! ```

use tweetfilter_core::explain::Explanation;
use tweetfilter_core::post::Account;
use tweetfilter_core::{
    Dialect, Expression, FilterId, FilterSetBuilder, Identity, Limits, OwnerId, Post, Scratch,
};

const ANN: OwnerId = OwnerId(1);
const BEN: OwnerId = OwnerId(2);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut builder = FilterSetBuilder::new();
    // `me` in a filter stands for the accounts of its owner.
    builder.owner(ANN, vec![account("ann")]).owner(BEN, vec![account("ben")]);
    // Ids are unique for each owner.
    for (owner, id, text) in [
        (Some(ANN), 1, "@me OR to:me"),
        (Some(ANN), 2, "(snow OR hail) -from:me"),
        (Some(BEN), 1, "@me thanks"),
        (None, 1, "has:links"),
    ] {
        let expression = Expression::parse_with(text, Dialect::Native, &Limits::default())?;
        builder.add_expression(FilterId(id), owner, expression)?;
    }
    let filters = builder.build();

    let mut scratch = Scratch::default();
    let posts = [
        // A post, and whose timelines it came to.
        (Post::from_text("Thanks @ann and @ben for the snow shovel"), vec![ANN, BEN]),
        (Post::from_text("Hail in Bergen: https://example.com/hail"), vec![BEN]),
        (Post::from_text("Hail, and more hail"), vec![ANN]),
    ];
    for (post, audience) in &posts {
        println!("{}", post.text);
        let found = filters.matches_for(&mut scratch, post, audience).to_vec();
        for m in found {
            let whose = m.owner.map_or("everybody", |owner| if owner == ANN { "ann" } else { "ben" });
            let text = filters.text(m.index as usize).unwrap_or_default();
            let why = filters.explain(m.index as usize, post).map(|e| reasons(&e, text)).unwrap_or_default();
            println!("    {whose}, filter {}: {text}   because {why}", m.id.0);
        }
    }
    Ok(())
}

fn account(handle: &str) -> Identity {
    Identity { account: Account { handle: handle.to_owned(), ..Account::default() }, ..Identity::default() }
}

/// The parts of a filter that made the match, each with what it found.
fn reasons(explanation: &Explanation, filter: &str) -> String {
    let parts = explanation.parts.iter().map(|part| {
        let written = filter.get(part.expression.range()).unwrap_or_default();
        match part.places.first() {
            _ if part.negated => format!("no {written}"),
            Some(place) if !place.text.is_empty() => format!("{written} is in \"{}\"", place.text),
            _ => format!("{written} holds"),
        }
    });
    parts.collect::<Vec<_>>().join(", ")
}
