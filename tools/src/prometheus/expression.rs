//! What a rule's or a person's expression is made of.

use std::collections::{BTreeMap, BTreeSet};

use promql_parser::label::{MatchOp, Matcher};
use promql_parser::parser::{BinaryExpr, Expr, LabelModifier, VectorMatchCardinality, VectorSelector, parse};
use promql_parser::util::{ExprVisitor, walk_expr};

use super::labels::NAME;
use super::selector::escaped;

/// An expression that was read.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Expression(Expr);

impl Expression {
    /// Reads it; nothing where the parser here doesn't know what the server may well know.
    pub(super) fn read(text: &str) -> Option<Self> {
        parse(text).ok().map(Self)
    }

    /// It as text.
    pub(super) fn text(&self) -> String {
        self.0.to_string()
    }

    /// The expressions whose values a comparison or a set operator chooses among, without it: of `a / b > 0.9` the
    /// ratio. Itself where there is none.
    pub(super) fn parts(&self) -> Vec<Self> {
        let mut parts = Vec::new();
        split(&self.0, &mut parts);
        parts
    }

    /// The selectors in it, once each.
    pub(super) fn selectors(&self) -> Vec<VectorSelector> {
        struct Selectors(Vec<VectorSelector>);
        impl ExprVisitor for Selectors {
            type Error = std::convert::Infallible;
            fn pre_visit(&mut self, expr: &Expr) -> Result<bool, Self::Error> {
                let found = match expr {
                    Expr::VectorSelector(selector) => Some(selector),
                    Expr::MatrixSelector(matrix) => Some(&matrix.vs),
                    _ => None,
                };
                if let Some(selector) = found.filter(|selector| !self.0.contains(selector)) {
                    self.0.push(selector.clone());
                }
                Ok(true)
            }
        }
        let mut found = Selectors(Vec::new());
        match walk_expr(&mut found, &self.0) {
            Ok(_) => found.0,
        }
    }

    /// The names of the metrics that it reads.
    pub(super) fn metrics(&self) -> BTreeSet<String> {
        self.selectors().iter().filter_map(name).collect()
    }

    /// The same for the series that have one of these values of these labels only, as far as each selector's labels
    /// come through to the result: of `sum by (namespace) (x)` only the namespace narrows `x`.
    pub(super) fn restricted(mut self, to: &BTreeMap<String, BTreeSet<String>>) -> Self {
        restrict(&mut self.0, to);
        self
    }
}

/// The name of the metric that a selector reads, where it names one.
pub(super) fn name(selector: &VectorSelector) -> Option<String> {
    let by_label = |matcher: &&Matcher| matcher.name == NAME && matcher.op == MatchOp::Equal;
    selector
        .name
        .clone()
        .or_else(|| selector.matchers.matchers.iter().find(by_label).map(|matcher| matcher.value.clone()))
}

fn split(expr: &Expr, parts: &mut Vec<Expression>) {
    match expr {
        Expr::Paren(inner) => split(&inner.expr, parts),
        Expr::Binary(binary) if chooses(binary) => {
            for side in [&binary.lhs, &binary.rhs] {
                if !matches!(bare(side), Expr::NumberLiteral(_) | Expr::Unary(_)) {
                    split(side, parts);
                }
            }
        }
        other => {
            let part = Expression(other.clone());
            if !parts.contains(&part) {
                parts.push(part);
            }
        }
    }
}

fn bare(expr: &Expr) -> &Expr {
    match expr {
        Expr::Paren(inner) => bare(&inner.expr),
        other => other,
    }
}

/// Whether an operator lets values through or not, rather than making new ones.
fn chooses(binary: &BinaryExpr) -> bool {
    let gives_bool = binary.modifier.as_ref().is_some_and(|modifier| modifier.return_bool);
    binary.op.is_set_operator() || binary.op.is_comparison_operator() && !gives_bool
}

type Allowed = BTreeMap<String, BTreeSet<String>>;

fn restrict(expr: &mut Expr, allowed: &Allowed) {
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
                "label_replace" | "label_join" => match call.args.args.get(1).map(|made| made.as_ref()) {
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
    allowed.iter().filter(|(name, _)| labels.contains(name)).map(|(name, values)| (name.clone(), values.clone())).collect()
}

fn without(allowed: &Allowed, labels: &[String]) -> Allowed {
    allowed.iter().filter(|(name, _)| !labels.contains(name)).map(|(name, values)| (name.clone(), values.clone())).collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> Vec<String> {
        Expression::read(text).unwrap().parts().iter().map(Expression::text).collect()
    }

    fn restricted(text: &str, to: &[(&str, &[&str])]) -> String {
        let values = |values: &[&str]| values.iter().map(|&value| value.to_owned()).collect();
        let to = to.iter().map(|(name, of)| ((*name).to_owned(), values(of))).collect();
        Expression::read(text).unwrap().restricted(&to).text()
    }

    #[test]
    fn a_comparison_is_taken_off_and_both_sides_are_told() {
        assert_eq!(parts("a / b > 0.9"), ["a / b"]);
        assert_eq!(parts("kube_deployment_spec_replicas > kube_deployment_status_replicas_available"), [
            "kube_deployment_spec_replicas",
            "kube_deployment_status_replicas_available"
        ]);
        assert_eq!(parts("(a > 1) and on (pod) (b{c=\"d\"} == 0)"), ["a", "b{c=\"d\"}"]);
        assert_eq!(parts("a > bool 1"), ["a > bool 1"]);
        assert_eq!(parts("max_over_time(x{reason=\"CrashLoopBackOff\"}[1m]) >= 1"), [
            "max_over_time(x{reason=\"CrashLoopBackOff\"}[1m])"
        ]);
        assert_eq!(parts("absent(up{job=\"a\"})"), ["absent(up{job=\"a\"})"]);
        assert_eq!(parts("a > 1 or a < -1"), ["a"]);
    }

    #[test]
    fn labels_narrow_only_what_they_come_from() {
        let pod: &[(&str, &[&str])] = &[("namespace", &["shop"]), ("pod", &["cart-1"])];
        assert_eq!(restricted("up", pod), r#"up{namespace="shop",pod="cart-1"}"#);
        assert_eq!(
            restricted("sum by (namespace) (rate(x{code=~\"5..\"}[5m]))", pod),
            r#"sum by (namespace) (rate(x{code=~"5..",namespace="shop"}[5m]))"#
        );
        assert_eq!(restricted("sum(x)", pod), "sum(x)");
        assert_eq!(restricted("sum without (pod) (x)", pod), r#"sum without (pod) (x{namespace="shop"})"#);
        assert_eq!(
            restricted("a * on (node) group_left (pod) b", &[("node", &["n"]), ("pod", &["p"])]),
            r#"a{node="n"} * on (node) group_left (pod) b{node="n"}"#
        );
        assert_eq!(
            restricted("label_replace(a, \"pod\", \"$1\", \"id\", \"(.*)\")", pod),
            r#"label_replace(a{namespace="shop"}, "pod", "$1", "id", "(.*)")"#
        );
        assert_eq!(restricted("absent(a)", pod), "absent(a)");
        assert_eq!(restricted("a{pod=\"x\"}", pod), r#"a{namespace="shop",pod="x"}"#);
    }

    #[test]
    fn several_values_are_any_of_them_and_each_is_escaped() {
        assert_eq!(restricted("up", &[("pod", &["a.b", "c\"d"])]), r#"up{pod=~"a\\.b|c\"d"}"#);
        assert_eq!(restricted("up", &[("pod", &["\"} or x"])]), r#"up{pod="\"} or x"}"#);
    }

    #[test]
    fn the_metrics_are_those_of_all_selectors() {
        let read = Expression::read("rate(a[1m]) / on (x) {__name__=\"b\"} + {job=\"c\"} > a").unwrap();
        assert_eq!(read.metrics(), ["a", "b"].map(str::to_owned).into());
        assert_eq!(Expression::read("a >"), None);
    }
}
