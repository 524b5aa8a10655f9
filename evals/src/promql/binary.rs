//! Arithmetic and comparison.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use marple_core::Labels;
use promql_parser::parser::token::{self, TokenId};

use super::QueryError;
use super::matching::{Cardinality, Matching};
use super::metric::{NAME, keep, nameless, set};
use super::store::Element;

/// An operator between numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Power,
    Angle,
    Equal,
    Unequal,
    Greater,
    Less,
    AtLeast,
    AtMost,
}

impl Operator {
    pub(super) fn of(token: TokenId) -> Option<Self> {
        Some(match token {
            token::T_ADD => Self::Add,
            token::T_SUB => Self::Subtract,
            token::T_MUL => Self::Multiply,
            token::T_DIV => Self::Divide,
            token::T_MOD => Self::Remainder,
            token::T_POW => Self::Power,
            token::T_ATAN2 => Self::Angle,
            token::T_EQLC => Self::Equal,
            token::T_NEQ => Self::Unequal,
            token::T_GTR => Self::Greater,
            token::T_LSS => Self::Less,
            token::T_GTE => Self::AtLeast,
            token::T_LTE => Self::AtMost,
            _ => return None,
        })
    }

    /// Whether a comparison holds; nothing for arithmetic.
    #[expect(clippy::float_cmp, reason = "the language compares exactly")]
    fn holds(self, left: f64, right: f64) -> Option<bool> {
        Some(match self {
            Self::Equal => left == right,
            Self::Unequal => left != right,
            Self::Greater => left > right,
            Self::Less => left < right,
            Self::AtLeast => left >= right,
            Self::AtMost => left <= right,
            _ => return None,
        })
    }

    /// The result as a number: 1 or 0 for a comparison.
    pub(super) fn number(self, left: f64, right: f64) -> f64 {
        match self {
            Self::Add => left + right,
            Self::Subtract => left - right,
            Self::Multiply => left * right,
            Self::Divide => left / right,
            Self::Remainder => left % right,
            Self::Power => left.powf(right),
            Self::Angle => left.atan2(right),
            _ => f64::from(u8::from(self.holds(left, right) == Some(true))),
        }
    }

    /// The value of an element, or nothing where a comparison filters it out. A comparison keeps `kept`.
    fn element(self, left: f64, right: f64, returns_bool: bool, kept: f64) -> Option<f64> {
        match self.holds(left, right) {
            Some(holds) if !returns_bool => holds.then_some(kept),
            _ => Some(self.number(left, right)),
        }
    }

    /// Whether the result is no longer a value of the metric.
    fn drops_name(self, returns_bool: bool) -> bool {
        returns_bool || self.holds(0.0, 0.0).is_none()
    }
}

/// Each element with one number.
pub(super) fn with_scalar(
    operator: Operator,
    returns_bool: bool,
    scalar_first: bool,
    elements: Vec<Element>,
    scalar: f64,
) -> Vec<Element> {
    let combined = |Element { labels, value }: Element| {
        let (left, right) = if scalar_first { (scalar, value) } else { (value, scalar) };
        let result = operator.element(left, right, returns_bool, value)?;
        let labels = if operator.drops_name(returns_bool) { nameless(&labels) } else { labels };
        Some(Element { labels, value: result })
    };
    elements.into_iter().filter_map(combined).collect()
}

/// Each element with its match on the other side.
pub(super) fn with_vector(
    operator: Operator,
    returns_bool: bool,
    matching: &Matching,
    left: Vec<Element>,
    right: Vec<Element>,
) -> Result<Vec<Element>, QueryError> {
    if left.is_empty() || right.is_empty() {
        // Nothing can match, and nobody is told of what stands twice.
        return Ok(Vec::new());
    }
    // On the side called `one`, at most one element may match.
    let swapped = matches!(matching.cardinality, Cardinality::OneToMany(_));
    let (many, one) = if swapped { (right, left) } else { (left, right) };
    let mut partners: HashMap<Labels, Element> = HashMap::new();
    for element in one {
        let signature = matching.signature(&element.labels);
        if let Some(other) = partners.get(&signature) {
            let side = if swapped { "left" } else { "right" };
            let mut pair = [shown(&element.labels), shown(&other.labels)];
            pair.sort();
            return Err(QueryError::Execution(format!(
                "found duplicate series for the match group {} on the {side} hand-side of the operation: [{}];\
                 many-to-many matching not allowed: matching labels must be unique on one side",
                shown(&signature),
                pair.join(", "),
            )));
        }
        partners.insert(signature, element);
    }
    let mut matched: HashSet<(Labels, Option<Arc<Labels>>)> = HashSet::new();
    let mut out = Vec::new();
    for element in many {
        let signature = matching.signature(&element.labels);
        let Some(partner) = partners.get(&signature) else { continue };
        let (left, right) = if swapped { (partner.value, element.value) } else { (element.value, partner.value) };
        let labels = result_labels(operator, returns_bool, matching, &element.labels, &partner.labels);
        let one_to_one = matches!(matching.cardinality, Cardinality::OneToOne);
        let seen = (signature, (!one_to_one).then(|| Arc::clone(&labels)));
        if !matched.insert(seen) {
            let fault = if one_to_one {
                "many-to-one matching must be explicit (group_left/group_right)"
            } else {
                "grouping labels must ensure unique matches"
            };
            return Err(QueryError::Execution(format!("multiple matches for labels: {fault}")));
        }
        if let Some(value) = operator.element(left, right, returns_bool, left) {
            out.push(Element { labels, value });
        }
    }
    Ok(out)
}

fn result_labels(
    operator: Operator,
    returns_bool: bool,
    matching: &Matching,
    many: &Arc<Labels>,
    one: &Labels,
) -> Arc<Labels> {
    let labels = if operator.drops_name(returns_bool) { nameless(many) } else { Arc::clone(many) };
    match &matching.cardinality {
        Cardinality::OneToOne if matching.on => {
            Arc::new(keep(&labels, |name| matching.labels.iter().any(|one| one == name)))
        }
        Cardinality::OneToOne if matching.labels.is_empty() => labels,
        Cardinality::OneToOne => Arc::new(keep(&labels, |name| matching.labels.iter().all(|one| one != name))),
        Cardinality::ManyToOne(included) | Cardinality::OneToMany(included) if included.is_empty() => labels,
        Cardinality::ManyToOne(included) | Cardinality::OneToMany(included) => {
            let from = |labels: Labels, name: &String| set(&labels, name, one.get(name).unwrap_or_default());
            Arc::new(included.iter().fold((*labels).clone(), from))
        }
    }
}

/// A label set as messages show it.
fn shown(labels: &Labels) -> String {
    let name = labels.get(NAME).unwrap_or_default();
    let rest: Vec<String> =
        labels.iter().filter(|(label, _)| *label != NAME).map(|(label, value)| format!("{label}={value:?}")).collect();
    format!("{name}{{{}}}", rest.join(", "))
}
