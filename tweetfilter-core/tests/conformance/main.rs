//! What the language means, row by row: every way to evaluate an expression gives the row's answer.

mod coverage;
mod independence;
mod rows;

use rows::Row;
use tweetfilter_core::explain::CostClass;
use tweetfilter_core::oracle::{self, Surroundings};
use tweetfilter_core::syntax::{lost_in_native, to_native};
use tweetfilter_core::{Expression, FilterId, FilterSet, FilterSetBuilder, Limits, OwnerId, Post, Scratch};

fn parsed(row: &Row, text: &str) -> Result<Expression, String> {
    Expression::parse_with(text, row.dialect, &Limits::default()).map_err(|error| error.to_string())
}

/// Runs `answer` on every row that is not an error and reports all that differ.
fn hold(mut answer: impl FnMut(&Row, &Post) -> Result<bool, String>) {
    let mut wrong = Vec::new();
    let mut count = 0;
    for row in rows::all().iter().filter(|row| row.error.is_none()) {
        count += 1;
        let answer = answer(row, &row.post());
        if answer.as_ref().ok() != row.expect.as_ref() {
            wrong.push(format!("{} {}: {answer:?}, expected {:?}", row.place, row.filter, row.expect));
        }
    }
    assert!(count >= 500, "only {count} rows");
    assert!(wrong.is_empty(), "{} of {count} rows differ:\n{}", wrong.len(), wrong.join("\n"));
}

fn by_oracle(row: &Row, text: &str, post: &Post) -> Result<bool, String> {
    let (sets, me) = (row.named_sets(), row.me());
    Ok(oracle::holds(&parsed(row, text)?, post, &Surroundings { sets: &sets, me: &me }))
}

#[test]
fn oracle() {
    hold(|row, post| by_oracle(row, &row.filter, post));
}

#[test]
fn oracle_after_canonical_printing() {
    hold(|row, post| by_oracle(row, &parsed(row, &row.filter)?.to_string(), post));
}

/// The row's filter among others, so that it is found, not only confirmed.
fn compiled(row: &Row, text: &str) -> Result<FilterSet, String> {
    let mut builder = FilterSetBuilder::new();
    for (name, lines) in &row.sets {
        builder.named_set(name, lines).map_err(|error| error.to_string())?;
    }
    builder.owner(OWNER, row.me());
    builder.add(OTHER, "somethingelse OR contains:\"something else\"").map_err(|error| error.to_string())?;
    builder.add_expression(FILTER, Some(OWNER), parsed(row, text)?).map_err(|error| error.to_string())?;
    Ok(builder.build())
}

const OWNER: OwnerId = OwnerId(3);
const FILTER: FilterId = FilterId(1);
const OTHER: FilterId = FilterId(2);

/// Whether the row's filter is among the matches.
fn found(matches: &[tweetfilter_core::Match]) -> bool {
    matches.iter().any(|found| found.id == FILTER && found.owner == Some(OWNER))
}

#[test]
fn engine_single() {
    hold(|row, post| Ok(found(&compiled(row, &row.filter)?.matches(post))));
}

#[test]
fn engine_after_canonical_printing() {
    hold(|row, post| Ok(found(&compiled(row, &parsed(row, &row.filter)?.to_string())?.matches(post))));
}

#[test]
fn engine_with_the_index_off() {
    hold(|row, post| Ok(found(compiled(row, &row.filter)?.matches_scanned(&mut Scratch::default(), post))));
}

#[test]
fn engine_batch() {
    let other = Post::from_text("another post, before and after");
    hold(|row, post| {
        let mut answers = Vec::new();
        let mut scratch = Scratch::default();
        let posts = [&other, post, &other, post];
        compiled(row, &row.filter)?
            .matches_batch(&mut scratch, posts, |_, matches| answers.push(found(matches)));
        if answers[1] != answers[3] || answers[0] != answers[2] {
            return Err(format!("one post, two answers: {answers:?}"));
        }
        Ok(answers[1])
    });
}

#[test]
fn engine_audience() {
    hold(|row, post| {
        let set = compiled(row, &row.filter)?;
        let mut scratch = Scratch::default();
        if found(set.matches_for(&mut scratch, post, &[OwnerId(4)])) {
            return Err("found for a stranger".into());
        }
        Ok(found(set.matches_for(&mut scratch, post, &[OwnerId(4), OWNER])))
    });
}

#[test]
fn a_filter_is_scanned_exactly_where_it_is_warned_of() {
    for row in rows::all().iter().filter(|row| row.error.is_none()) {
        let set = compiled(row, &row.filter).expect("a filter");
        let expression = set.expression(1).expect("the row's filter");
        let warned = expression.warnings().iter().any(|w| w.code == "evaluated_for_every_post");
        let scanned = set.cost_class(1) == Some(CostClass::Scanned);
        let plan = set.plan(1).expect("a plan");
        // The text alone does not tell of a set that is.
        let by_set = plan.sets.iter().any(|set| set.expected.is_none());
        assert_eq!(warned || by_set, scanned, "{} {}", row.place, row.filter);
        let access = plan.expected;
        // A list is looked up by its own term, whatever its lines are.
        let lists = row.filter.contains('{');
        assert!(lists || scanned == access.is_none(), "{} {}: {access:?}", row.place, row.filter);
    }
}

#[test]
fn what_is_spelled_out_for_x_means_the_same_or_a_note_says_what_is_lost() {
    let mut noted = 0;
    hold(|row, post| {
        let expression = parsed(row, &row.filter)?;
        if !lost_in_native(&expression).is_empty() {
            noted += 1;
            return row.expect.ok_or_else(String::new);
        }
        let (sets, me) = (row.named_sets(), row.me());
        Ok(oracle::holds(&to_native(&expression), post, &Surroundings { sets: &sets, me: &me }))
    });
    assert!(0 < noted && noted < 500, "{noted} rows are not compared");
}

#[test]
fn refused_expressions() {
    for row in rows::all() {
        let Some(code) = &row.error else { continue };
        let Err(error) = Expression::parse_with(&row.filter, row.dialect, &Limits::default()) else {
            panic!("{} {}: accepted, expected {code}", row.place, row.filter);
        };
        let codes: Vec<_> = error.diagnostics().iter().map(|d| d.code.to_string()).collect();
        assert!(codes.contains(code), "{} {}: {codes:?}, expected {code}", row.place, row.filter);
    }
}
