//! What a rule's or a person's expression is made of.

mod narrow;

use std::collections::{BTreeMap, BTreeSet};

use promql_parser::label::{MatchOp, Matcher};
use promql_parser::parser::{BinaryExpr, Expr, VectorSelector, parse, token};
use promql_parser::util::{ExprVisitor, walk_expr};

use super::labels::NAME;
use super::number::Unit;

/// What gives values of the kind that it takes.
const KEEPING: [&str; 21] = [
    "sum",
    "avg",
    "min",
    "max",
    "topk",
    "bottomk",
    "quantile",
    "last",
    "first",
    "increase",
    "delta",
    "abs",
    "round",
    "ceil",
    "floor",
    "clamp",
    "clamp_min",
    "clamp_max",
    "label_replace",
    "sort",
    "sort_desc",
];

/// An expression that was read.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Expression(Expr);

impl Expression {
    /// Reads it; nothing where the parser here doesn't know what the server may well know.
    pub(super) fn read(text: &str) -> Option<Self> {
        Self::parse(text).ok()
    }

    /// Reads it, or says what is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        parse(text).map(Self)
    }

    /// What it compares with a number, and the number; nothing where it is no such comparison.
    pub(super) fn compared(&self) -> Option<(Self, f64)> {
        let mut expr = &self.0;
        while let Expr::Paren(inner) = expr {
            expr = &inner.expr;
        }
        let Expr::Binary(binary) = expr else { return None };
        if !chooses(binary) || !binary.op.is_comparison_operator() {
            return None;
        }
        match (number(&binary.lhs), number(&binary.rhs)) {
            (None, Some(number)) => Some((Self((*binary.lhs).clone()), number)),
            (Some(number), None) => Some((Self((*binary.rhs).clone()), number)),
            _ => None,
        }
    }

    /// Whether it can have a series for each one that it reads: it is not summed up as a whole, nor a single value.
    pub(super) fn may_have_many(&self) -> bool {
        many(&self.0)
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

    /// What its values measure, as far as the metrics' names say: a sum of bytes is bytes, a ratio of them is not.
    pub(super) fn unit(&self) -> Unit {
        unit(&self.0)
    }

    /// The names of the metrics that it reads.
    pub(super) fn metrics(&self) -> BTreeSet<String> {
        self.selectors().iter().filter_map(name).collect()
    }

    /// The same for the series that have one of these values of these labels only, as far as each selector's labels
    /// come through to the result: of `sum by (namespace) (x)` only the namespace narrows `x`.
    pub(super) fn restricted(mut self, to: &BTreeMap<String, BTreeSet<String>>) -> Self {
        narrow::restrict(&mut self.0, to);
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

fn unit(expr: &Expr) -> Unit {
    match expr {
        Expr::VectorSelector(selector) if name(selector).is_some_and(|name| name.ends_with("_bytes")) => Unit::Bytes,
        Expr::MatrixSelector(matrix) => unit(&Expr::VectorSelector(matrix.vs.clone())),
        Expr::Paren(inner) => unit(&inner.expr),
        Expr::Unary(inner) => unit(&inner.expr),
        Expr::Subquery(inner) => unit(&inner.expr),
        Expr::Aggregate(aggregate) if KEEPING.contains(&aggregate.op.to_string().as_str()) => unit(&aggregate.expr),
        Expr::Call(call) if KEEPING.contains(&call.func.name.trim_end_matches("_over_time")) => {
            let mut units = call.args.args.iter().map(|argument| unit(argument));
            if units.any(|unit| unit == Unit::Bytes) { Unit::Bytes } else { Unit::Plain }
        }
        Expr::Binary(binary) if chooses(binary) => unit(&binary.lhs),
        Expr::Binary(binary) if matches!(binary.op.id(), token::T_ADD | token::T_SUB) => {
            let same = unit(&binary.lhs) == unit(&binary.rhs);
            if same { unit(&binary.lhs) } else { Unit::Plain }
        }
        _ => Unit::Plain,
    }
}

fn many(expr: &Expr) -> bool {
    match expr {
        Expr::VectorSelector(_) => true,
        // Samples, which nothing but a function can take, and what is one value.
        Expr::MatrixSelector(_)
        | Expr::Subquery(_)
        | Expr::NumberLiteral(_)
        | Expr::StringLiteral(_)
        | Expr::Extension(_) => false,
        Expr::Paren(inner) => many(&inner.expr),
        Expr::Unary(inner) => many(&inner.expr),
        Expr::Aggregate(aggregate) => {
            let chooses = matches!(aggregate.op.to_string().as_str(), "topk" | "bottomk" | "limitk");
            aggregate.modifier.is_some() && !chooses
        }
        Expr::Call(call) => match call.func.name {
            "scalar" | "vector" | "time" | "absent" | "absent_over_time" => false,
            _ => call.args.args.iter().any(|argument| {
                matches!(argument.as_ref(), Expr::MatrixSelector(_) | Expr::Subquery(_)) || many(argument)
            }),
        },
        Expr::Binary(binary) => many(&binary.lhs) || many(&binary.rhs),
    }
}

fn split(expr: &Expr, parts: &mut Vec<Expression>) {
    match expr {
        Expr::Paren(inner) => split(&inner.expr, parts),
        Expr::Binary(binary) if chooses(binary) => {
            for side in [&binary.lhs, &binary.rhs] {
                if !is_number(side) {
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

fn number(expr: &Expr) -> Option<f64> {
    match expr {
        Expr::Paren(inner) => number(&inner.expr),
        Expr::Unary(inner) => number(&inner.expr).map(|number| -number),
        Expr::NumberLiteral(literal) => Some(literal.val),
        _ => None,
    }
}

fn is_number(expr: &Expr) -> bool {
    match expr {
        Expr::Paren(inner) => is_number(&inner.expr),
        Expr::Unary(inner) => is_number(&inner.expr),
        other => matches!(other, Expr::NumberLiteral(_)),
    }
}

/// Whether an operator lets values through or not, rather than making new ones.
fn chooses(binary: &BinaryExpr) -> bool {
    let gives_bool = binary.modifier.as_ref().is_some_and(|modifier| modifier.return_bool);
    binary.op.is_set_operator() || binary.op.is_comparison_operator() && !gives_bool
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
        assert_eq!(
            parts("kube_deployment_spec_replicas > kube_deployment_status_replicas_available"),
            ["kube_deployment_spec_replicas", "kube_deployment_status_replicas_available"]
        );
        assert_eq!(parts("(a > 1) and on (pod) (b{c=\"d\"} == 0)"), ["a", "b{c=\"d\"}"]);
        assert_eq!(parts("a > bool 1"), ["a > bool 1"]);
        assert_eq!(
            parts("max_over_time(x{reason=\"CrashLoopBackOff\"}[1m]) >= 1"),
            ["max_over_time(x{reason=\"CrashLoopBackOff\"}[1m])"]
        );
        assert_eq!(parts("absent(up{job=\"a\"})"), ["absent(up{job=\"a\"})"]);
        assert_eq!(parts("a > 1 or a < -1"), ["a"]);
    }

    #[test]
    fn a_comparison_with_a_number_is_what_is_compared_and_the_number() {
        let compared = |text: &str| {
            let read = Expression::read(text).unwrap();
            read.compared().map(|(values, number)| (values.text(), number))
        };
        assert_eq!(compared("(a / b > 0.9)"), Some(("a / b".to_owned(), 0.9)));
        assert_eq!(compared("-1 < sum(a)"), Some(("sum(a)".to_owned(), -1.0)));
        for text in ["a > b", "a", "a > bool 1", "a and b", "1 > bool 2"] {
            assert_eq!(compared(text), None, "{text}");
        }
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
    fn bytes_are_bytes_until_they_are_divided() {
        let unit = |text: &str| Expression::read(text).unwrap().unit();
        for text in [
            "x_bytes",
            "sum by (pod) (x_bytes)",
            "max_over_time(x_bytes[5m]) > 100",
            "a_bytes - b_bytes",
            "topk(3, x_bytes)",
        ] {
            assert_eq!(unit(text), Unit::Bytes, "{text}");
        }
        for text in ["x_bytes / y_bytes", "count(x_bytes)", "rate(x_bytes[5m])", "x", "a_bytes + b"] {
            assert_eq!(unit(text), Unit::Plain, "{text}");
        }
    }

    #[test]
    fn the_metrics_are_those_of_all_selectors() {
        let read = Expression::read("rate(a[1m]) / on (x) {__name__=\"b\"} + {job=\"c\"} > a").unwrap();
        assert_eq!(read.metrics(), ["a", "b"].map(str::to_owned).into());
        assert_eq!(Expression::read("a >"), None);
    }
}
