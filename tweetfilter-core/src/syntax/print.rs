//! Canonical text.

use std::fmt;

use super::{AccountName, Atom, Expression, Node, NodeKind, Value};

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        node(f, &self.root, 0)
    }
}

fn node(f: &mut fmt::Formatter<'_>, n: &Node, outer: u8) -> fmt::Result {
    let own = match n.kind {
        NodeKind::Or(_) => 1,
        NodeKind::And(_) => 2,
        _ => 4,
    };
    if own <= outer {
        f.write_str("(")?;
    }
    match &n.kind {
        NodeKind::Or(items) => list(f, items, " OR ", 1)?,
        NodeKind::And(items) => list(f, items, " ", 2)?,
        NodeKind::Not(inner) => {
            f.write_str("-")?;
            node(f, inner, 3)?;
        }
        NodeKind::Atom(Atom::Text(pattern)) => f.write_str(&pattern.text)?,
        NodeKind::Atom(Atom::Account(_, values)) => match &values[0] {
            Value::One(AccountName::Name(name)) => write!(f, "from:{name}")?,
            _ => f.write_str("from:me")?,
        },
        _ => {}
    }
    if own <= outer {
        f.write_str(")")?;
    }
    Ok(())
}

fn list(f: &mut fmt::Formatter<'_>, items: &[Node], between: &str, own: u8) -> fmt::Result {
    for (i, item) in items.iter().enumerate() {
        if i > 0 {
            f.write_str(between)?;
        }
        node(f, item, own)?;
    }
    Ok(())
}
