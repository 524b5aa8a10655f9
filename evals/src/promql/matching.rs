//! Which elements of two vectors belong together, and the operators between sets.

use std::collections::HashSet;

use marple_core::Labels;
use promql_parser::parser::token::{self, TokenId};
use promql_parser::parser::{BinModifier, LabelModifier, VectorMatchCardinality};

use super::QueryError;
use super::metric::{NAME, keep};
use super::store::Element;

/// How elements of two vectors are matched.
#[derive(Debug)]
pub(super) struct Matching {
    /// Whether the labels are those that count (`on`), or those that don't (`ignoring`).
    pub(super) on: bool,
    pub(super) labels: Vec<String>,
    pub(super) cardinality: Cardinality,
}

/// How many elements may match one, with the labels that are taken over from the one.
#[derive(Debug)]
pub(super) enum Cardinality {
    OneToOne,
    ManyToOne(Vec<String>),
    OneToMany(Vec<String>),
}

/// An operator between sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SetOperator {
    And,
    Or,
    Unless,
}

impl SetOperator {
    pub(super) fn of(token: TokenId) -> Option<Self> {
        match token {
            token::T_LAND => Some(Self::And),
            token::T_LOR => Some(Self::Or),
            token::T_LUNLESS => Some(Self::Unless),
            _ => None,
        }
    }
}

impl Matching {
    pub(super) fn of(modifier: Option<&BinModifier>) -> Result<Self, QueryError> {
        let Some(modifier) = modifier else {
            return Ok(Self { on: false, labels: Vec::new(), cardinality: Cardinality::OneToOne });
        };
        if modifier.fill_values.lhs.is_some() || modifier.fill_values.rhs.is_some() {
            return Err(QueryError::unsupported("fill"));
        }
        let (on, labels) = match &modifier.matching {
            None => (false, Vec::new()),
            Some(LabelModifier::Include(labels)) => (true, labels.labels.clone()),
            Some(LabelModifier::Exclude(labels)) => (false, labels.labels.clone()),
        };
        let cardinality = match &modifier.card {
            VectorMatchCardinality::OneToOne | VectorMatchCardinality::ManyToMany => Cardinality::OneToOne,
            VectorMatchCardinality::ManyToOne(labels) => Cardinality::ManyToOne(labels.labels.clone()),
            VectorMatchCardinality::OneToMany(labels) => Cardinality::OneToMany(labels.labels.clone()),
        };
        Ok(Self { on, labels, cardinality })
    }

    /// What two elements must have in common.
    pub(super) fn signature(&self, labels: &Labels) -> Labels {
        let listed = |name: &str| self.labels.iter().any(|one| one == name);
        keep(labels, |name| if self.on { listed(name) } else { name != NAME && !listed(name) })
    }
}

/// The elements of a set operation.
pub(super) fn combine(
    operator: SetOperator,
    matching: &Matching,
    left: Vec<Element>,
    right: Vec<Element>,
) -> Vec<Element> {
    let signature = |element: &Element| matching.signature(&element.labels);
    let signatures = |elements: &[Element]| elements.iter().map(signature).collect::<HashSet<Labels>>();
    match operator {
        SetOperator::And | SetOperator::Unless => {
            let there = signatures(&right);
            let wanted = operator == SetOperator::And;
            left.into_iter().filter(|element| there.contains(&signature(element)) == wanted).collect()
        }
        SetOperator::Or => {
            let there = signatures(&left);
            let others = right.into_iter().filter(|element| !there.contains(&signature(element)));
            left.into_iter().chain(others.collect::<Vec<_>>()).collect()
        }
    }
}
