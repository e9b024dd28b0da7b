//! Flat programs: one per filter, for confirmation.
//!
//! Operations in prefix order; a group knows how many operations its body has, so that it can be skipped.

use crate::plan::atoms::{Flag, Test};
use crate::plan::channel::Channel;
use crate::plan::formula::{Formula, Literal, ScopeKey};

/// One operation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Op {
    Term(Channel, u32),
    Flag(Flag),
    Atom(u32),
    Set(u32),
    /// Groups: how many operations the body has.
    All(u32),
    Any(u32),
    AtLeast(u16, u32),
    In(ScopeKey, u32),
}

/// An operation and the side of it that is asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Step {
    pub(crate) op: Op,
    pub(crate) negative: bool,
}

/// The programs of all filters, one after the other; those of named sets follow.
#[derive(Debug, Default)]
pub(crate) struct Program {
    pub(crate) steps: Vec<Step>,
    starts: Vec<u32>,
}

impl Program {
    /// Appends the program of the next filter.
    pub(crate) fn push(&mut self, formula: &Formula) {
        self.starts.push(self.steps.len() as u32);
        self.encode(formula);
    }

    /// Where a filter's program begins.
    #[inline]
    pub(crate) fn start(&self, filter: u32) -> usize {
        self.starts[filter as usize] as usize
    }

    /// The steps of a filter.
    pub(crate) fn of(&self, filter: u32) -> &[Step] {
        let start = self.start(filter);
        &self.steps[start..start + size(&self.steps[start])]
    }

    pub(crate) fn bytes(&self) -> usize {
        self.steps.len() * size_of::<Step>() + self.starts.len() * 4
    }

    fn encode(&mut self, formula: &Formula) {
        match formula {
            Formula::Is(Literal { test, negative }) => {
                let op = match *test {
                    Test::Term(channel, term) => Op::Term(channel, term),
                    Test::Flag(flag) => Op::Flag(flag),
                    Test::Atom(atom) => Op::Atom(atom),
                };
                self.steps.push(Step { op, negative: *negative });
            }
            Formula::Set(number, negative) => {
                self.steps.push(Step { op: Op::Set(*number), negative: *negative });
            }
            Formula::All(parts) => self.group(parts, Op::All),
            Formula::Any(parts) => self.group(parts, Op::Any),
            Formula::AtLeast(n, parts) => {
                let n = u16::try_from(*n).unwrap_or(u16::MAX);
                self.group(parts, |len| Op::AtLeast(n, len));
            }
            Formula::In(scope, inner) => self.group(std::slice::from_ref(inner), |len| Op::In(*scope, len)),
        }
    }

    fn group(&mut self, parts: &[Formula], make: impl Fn(u32) -> Op) {
        let at = self.steps.len();
        self.steps.push(Step { op: make(0), negative: false });
        for part in parts {
            self.encode(part);
        }
        self.steps[at].op = make((self.steps.len() - at - 1) as u32);
    }
}

/// How many steps an operation takes, its body included.
#[inline]
pub(crate) fn size(step: &Step) -> usize {
    match step.op {
        Op::All(n) | Op::Any(n) | Op::AtLeast(_, n) | Op::In(_, n) => n as usize + 1,
        _ => 1,
    }
}
