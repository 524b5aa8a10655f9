//! Narrowing of an expression to the series of some labels.

use std::collections::{BTreeMap, BTreeSet};

use promql_parser::label::{MatchOp, Matcher};
use promql_parser::parser::{BinaryExpr, Expr, LabelModifier, VectorMatchCardinality, VectorSelector};

use crate::prometheus::selector::escaped;

/// Labels that come through from where one is to where the result is, with the values that are wanted.
type Allowed = BTreeMap<String, BTreeSet<String>>;

/// Narrows each selector in the expression by what comes through from it to the result.
pub(super) fn restrict(expr: &mut Expr, allowed: &Allowed) {
    match expr {
        Expr::VectorSelector(selector) => narrow(selector, allowed),
        Expr::MatrixSelector(matrix) => narrow(&mut matrix.vs, allowed),
        Expr::Paren(inner) => restrict(&mut inner.expr, allowed),
        Expr::Unary(inner) => restrict(&mut inner.expr, allowed),
        Expr::Subquery(inner) => restrict(&mut inner.expr, allowed),
        Expr::Aggregate(aggregate) => {
            let allowed = match &aggregate.modifier {
                Some(LabelModifier::Include(kept)) => only(allowed, &kept.labels),
                Some(LabelModifier::Exclude(gone)) => without(allowed, &gone.labels),
                None => Allowed::new(),
            };
            restrict(&mut aggregate.expr, &allowed);
        }
        Expr::Call(call) => {
            let allowed = match call.func.name {
                // Absence of the few is another question than absence of all.
                "absent" | "absent_over_time" | "scalar" | "vector" => Allowed::new(),
                "label_replace" | "label_join" => match call.args.args.get(1).map(AsRef::as_ref) {
                    Some(Expr::StringLiteral(made)) => without(allowed, std::slice::from_ref(&made.val)),
                    _ => Allowed::new(),
                },
                _ => allowed.clone(),
            };
            for argument in &mut call.args.args {
                restrict(argument, &allowed);
            }
        }
        Expr::Binary(binary) => {
            let (left, right) = sides(binary, allowed);
            restrict(&mut binary.lhs, &left);
            restrict(&mut binary.rhs, &right);
        }
        Expr::NumberLiteral(_) | Expr::StringLiteral(_) | Expr::Extension(_) => {}
    }
}

/// What may narrow each side of an operator.
fn sides(binary: &BinaryExpr, allowed: &Allowed) -> (Allowed, Allowed) {
    let Some(modifier) = &binary.modifier else { return (allowed.clone(), allowed.clone()) };
    let matched = match &modifier.matching {
        Some(LabelModifier::Include(labels)) => only(allowed, &labels.labels),
        Some(LabelModifier::Exclude(labels)) => without(allowed, &labels.labels),
        None => allowed.clone(),
    };
    // The many side keeps its labels, but those that it takes from the other; the other is told apart by those matched.
    match &modifier.card {
        VectorMatchCardinality::ManyToOne(taken) => (without(allowed, &taken.labels), matched),
        VectorMatchCardinality::OneToMany(taken) => (matched, without(allowed, &taken.labels)),
        VectorMatchCardinality::ManyToMany => (allowed.clone(), matched),
        VectorMatchCardinality::OneToOne => (matched.clone(), matched),
    }
}

fn only(allowed: &Allowed, labels: &[String]) -> Allowed {
    allowed
        .iter()
        .filter(|(name, _)| labels.contains(name))
        .map(|(name, values)| (name.clone(), values.clone()))
        .collect()
}

fn without(allowed: &Allowed, labels: &[String]) -> Allowed {
    allowed
        .iter()
        .filter(|(name, _)| !labels.contains(name))
        .map(|(name, values)| (name.clone(), values.clone()))
        .collect()
}

fn narrow(selector: &mut VectorSelector, allowed: &Allowed) {
    for (name, values) in allowed {
        let Some(matcher) = matcher(name, values) else { continue };
        let matchers = &mut selector.matchers;
        if matchers.or_matchers.is_empty() {
            let equal = |other: &&Matcher| other.name == *name && other.op == MatchOp::Equal;
            if matchers.matchers.iter().find(equal).is_none() {
                matchers.matchers.push(matcher);
            }
        } else {
            matchers.or_matchers.iter_mut().for_each(|group| group.push(matcher.clone()));
        }
    }
}

fn matcher(name: &str, values: &BTreeSet<String>) -> Option<Matcher> {
    let mut each = values.iter();
    match (each.next(), each.next()) {
        (None, _) => None,
        (Some(only), None) => Some(Matcher::new(MatchOp::Equal, name, only)),
        _ => {
            let any = values.iter().map(|value| escaped(value)).collect::<Vec<_>>().join("|");
            // What the selector's text shows is the value; the expression in the operator is never used here.
            let expression = regex::Regex::new(&any).ok()?;
            Some(Matcher::new(MatchOp::Re(expression), name, &any))
        }
    }
}
