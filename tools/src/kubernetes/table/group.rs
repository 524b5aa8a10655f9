//! Rows counted by what they have in common.

use std::collections::HashMap;
use std::fmt::Write as _;

use super::{Table, aligned};
use crate::kubernetes::cel::Expression;
use crate::view::grouped;

/// The most groups that are told, and up to how many members of one are named.
const GROUPS: usize = 500;
const NAMED: usize = 3;

/// What rows are counted by.
#[derive(Debug)]
pub(crate) enum Key {
    /// One of the columns that the server prints.
    Column(String),
    /// What an expression gives for the object, with the expression as it was written.
    Expression(String, Expression),
}

impl Key {
    /// A plain word is a column, anything else an expression.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let word = text.chars().all(|letter| letter.is_alphanumeric() || matches!(letter, '_' | '-' | ' '));
        if word {
            return Ok(Self::Column(text.to_owned()));
        }
        Expression::parse(text).map(|expression| Self::Expression(text.to_owned(), expression))
    }

    fn name(&self) -> String {
        match self {
            Self::Column(name) => name.to_uppercase(),
            Self::Expression(text, _) => text.clone(),
        }
    }
}

impl Table {
    /// The rows counted by the keys, the largest groups first; members of a small group are named. An error names the
    /// columns that there are.
    pub(crate) fn grouped(&self, keys: &[Key]) -> Result<String, String> {
        let mut picks = Vec::new();
        let mut expressions = 0;
        for key in keys {
            picks.push(match key {
                Key::Expression(..) => {
                    expressions += 1;
                    Pick::Key(expressions - 1)
                }
                Key::Column(name) if name.eq_ignore_ascii_case("namespace") => Pick::Namespace,
                Key::Column(name) => Pick::Cell(self.column(name).ok_or_else(|| self.no_column(name))?),
            });
        }
        let mut groups: HashMap<Vec<&str>, Vec<usize>> = HashMap::new();
        for (index, row) in self.rows.iter().enumerate() {
            let values = picks.iter().map(|pick| match pick {
                Pick::Namespace => row.namespace.as_deref(),
                Pick::Cell(column) => row.cells.get(*column).map(String::as_str),
                Pick::Key(key) => row.keys.get(*key).map(String::as_str),
            });
            groups.entry(values.map(Option::unwrap_or_default).collect()).or_default().push(index);
        }
        let mut groups: Vec<(Vec<&str>, Vec<usize>)> = groups.into_iter().collect();
        groups.sort_unstable_by(|left, right| right.1.len().cmp(&left.1.len()).then_with(|| left.0.cmp(&right.0)));
        let counts: Vec<String> = groups.iter().map(|(_, members)| grouped(members.len())).collect();
        let names: Vec<String> = keys.iter().map(Key::name).collect();
        let members: Vec<String> = groups.iter().map(|(_, members)| self.named(members)).collect();
        let mut lines = vec![
            ["COUNT"].into_iter().chain(names.iter().map(String::as_str)).chain(["NAMES OF FEW"]).collect::<Vec<_>>(),
        ];
        for (((values, _), count), members) in groups.iter().zip(&counts).zip(&members).take(GROUPS) {
            let values = values.iter().copied();
            lines.push([count.as_str()].into_iter().chain(values).chain([members.as_str()]).collect());
        }
        let mut text = aligned(&lines);
        if groups.len() > GROUPS {
            let _ = writeln!(text, "… {} smaller groups left out …", grouped(groups.len() - GROUPS));
        }
        Ok(text + &self.left_out())
    }

    fn named(&self, members: &[usize]) -> String {
        if members.len() > NAMED {
            return String::new();
        }
        let rows = members.iter().filter_map(|index| self.rows.get(*index));
        let names = rows.map(|row| {
            let space = row.namespace.as_ref().map(|space| format!("{space}/")).unwrap_or_default();
            format!("{space}{}", row.cells.first().map(String::as_str).unwrap_or_default())
        });
        names.collect::<Vec<_>>().join(", ")
    }

    fn no_column(&self, name: &str) -> String {
        let columns = self.columns.iter().map(|column| column.name.as_str());
        let columns = columns.chain(["Namespace"]).collect::<Vec<_>>().join(", ");
        format!("there is no column {name:?}; there are {columns}, and expressions as metadata.labels.app")
    }
}

/// Where a key's value stands in a row.
enum Pick {
    Namespace,
    Cell(usize),
    Key(usize),
}

/// How often each value comes, the most frequent first.
pub(super) fn counted<'a>(values: impl Iterator<Item = &'a str>) -> Vec<(&'a str, usize)> {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for value in values {
        *counts.entry(value).or_default() += 1;
    }
    let mut counts: Vec<(&str, usize)> = counts.into_iter().collect();
    counts.sort_unstable_by(|left, right| right.1.cmp(&left.1).then_with(|| left.0.cmp(right.0)));
    counts
}
