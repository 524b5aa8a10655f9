//! Makes a plan of an expression, and refuses what isn't supported.

use std::time::{Duration, SystemTime};

use marple_core::Labels;
use promql_parser::label::{MatchOp, Matcher, Matchers};
use promql_parser::parser::{
    self, AggregateExpr, AtModifier, BinaryExpr, Call, Expr, MatrixSelector, Offset, SubqueryExpr, VectorSelector,
    token,
};
use regex::Regex;

use super::aggregate::{Aggregation, Grouping};
use super::binary::Operator;
use super::calendar::Field;
use super::matching::{Matching, SetOperator};
use super::metric::NAME;
use super::over::Over;
use super::plan::{Map, Moment, Plan, Range, Scalar, Selector, Source, Vector};
use super::{QueryError, Store};

/// Reads an expression.
pub(super) fn parse(query: &str) -> Result<Expr, QueryError> {
    if query.trim().is_empty() {
        return Err(QueryError::BadData("invalid parameter \"query\": no expression found in input".to_owned()));
    }
    parser::parse(query)
        .map_err(|error| QueryError::BadData(format!("invalid parameter \"query\": parse error: {error}")))
}

/// A selector's matchers, with the name among them.
pub(super) fn matchers(selector: &VectorSelector) -> Result<Matchers, QueryError> {
    if !selector.matchers.or_matchers.is_empty() {
        return Err(QueryError::unsupported("`or` between label matchers"));
    }
    let mut matchers = selector.matchers.clone();
    if let Some(name) = &selector.name {
        matchers.matchers.push(Matcher::new(MatchOp::Equal, NAME, name));
    }
    Ok(matchers)
}

/// Makes plans.
pub(super) struct Compiler<'a> {
    pub(super) store: &'a Store,
    /// The query's first time, for `@ start()`.
    pub(super) start: i64,
    /// Its last, for `@ end()`.
    pub(super) end: i64,
    /// A subquery's step where it names none.
    pub(super) step: i64,
}

type Planned<T> = Result<T, QueryError>;

impl Compiler<'_> {
    pub(super) fn plan(&self, expression: &Expr) -> Planned<Plan> {
        Ok(match expression {
            Expr::Paren(inner) => self.plan(&inner.expr)?,
            Expr::NumberLiteral(number) => Plan::Scalar(Scalar::Number(number.val)),
            Expr::StringLiteral(text) => Plan::Text(text.val.clone()),
            Expr::VectorSelector(selector) => Plan::Vector(Vector::Select(self.selector(selector)?)),
            Expr::MatrixSelector(selector) => Plan::Range(self.matrix(selector)?),
            Expr::Subquery(subquery) => Plan::Range(self.subquery(subquery)?),
            Expr::Unary(unary) => match self.plan(&unary.expr)? {
                Plan::Scalar(scalar) => Plan::Scalar(Scalar::Negative(Box::new(scalar))),
                Plan::Vector(vector) => Plan::Vector(map(|value| -value, vector)),
                Plan::Range(_) | Plan::Text(_) => {
                    return Err(self.mismatch("a number or an instant vector", &unary.expr));
                }
            },
            Expr::Aggregate(aggregate) => Plan::Vector(self.aggregate(aggregate)?),
            Expr::Binary(binary) => self.binary(binary)?,
            Expr::Call(call) => self.call(call)?,
            Expr::Extension(_) => return Err(QueryError::unsupported("this expression")),
        })
    }

    fn vector(&self, expression: &Expr) -> Planned<Vector> {
        match self.plan(expression)? {
            Plan::Vector(vector) => Ok(vector),
            _ => Err(self.mismatch("an instant vector", expression)),
        }
    }

    fn scalar(&self, expression: &Expr) -> Planned<Scalar> {
        match self.plan(expression)? {
            Plan::Scalar(scalar) => Ok(scalar),
            _ => Err(self.mismatch("a number", expression)),
        }
    }

    fn range(&self, expression: &Expr) -> Planned<Range> {
        match self.plan(expression)? {
            Plan::Range(range) => Ok(range),
            _ => Err(self.mismatch("a range vector", expression)),
        }
    }

    fn text(&self, expression: &Expr) -> Planned<String> {
        match self.plan(expression)? {
            Plan::Text(text) => Ok(text),
            _ => Err(self.mismatch("a text", expression)),
        }
    }

    #[expect(clippy::unused_self, reason = "reads as what this compiler says")]
    fn mismatch(&self, wanted: &str, expression: &Expr) -> QueryError {
        QueryError::BadData(format!("invalid parameter \"query\": expected {wanted}, got {expression}"))
    }

    fn selector(&self, selector: &VectorSelector) -> Planned<Selector> {
        let series = self.store.matching(&matchers(selector)?);
        Ok(Selector { series, moment: self.moment(selector.at.as_ref(), selector.offset.as_ref()) })
    }

    fn matrix(&self, matrix: &MatrixSelector) -> Planned<Range> {
        let Selector { series, moment } = self.selector(&matrix.vs)?;
        Ok(Range { source: Source::Series(series), length: milliseconds(matrix.range), moment })
    }

    fn subquery(&self, subquery: &SubqueryExpr) -> Planned<Range> {
        let of = Box::new(self.vector(&subquery.expr)?);
        let step = subquery.step.map_or(self.step, milliseconds).max(1);
        let moment = self.moment(subquery.at.as_ref(), subquery.offset.as_ref());
        Ok(Range { source: Source::Subquery { of, step }, length: milliseconds(subquery.range), moment })
    }

    fn moment(&self, at: Option<&AtModifier>, offset: Option<&Offset>) -> Moment {
        let fixed = at.map(|at| match at {
            AtModifier::Start => self.start,
            AtModifier::End => self.end,
            AtModifier::At(time) => since_epoch(*time),
        });
        Moment { fixed, offset: back(offset) }
    }

    fn aggregate(&self, aggregate: &AggregateExpr) -> Planned<Vector> {
        let parameter = || {
            aggregate
                .param
                .as_deref()
                .ok_or_else(|| QueryError::BadData("the aggregation needs a parameter".to_owned()))
        };
        let aggregation = match aggregate.op.id() {
            token::T_SUM => Aggregation::Sum,
            token::T_AVG => Aggregation::Average,
            token::T_COUNT => Aggregation::Count,
            token::T_MIN => Aggregation::Minimum,
            token::T_MAX => Aggregation::Maximum,
            token::T_GROUP => Aggregation::Group,
            token::T_STDDEV => Aggregation::Deviation,
            token::T_STDVAR => Aggregation::Variance,
            token::T_QUANTILE => Aggregation::Quantile(Box::new(self.scalar(parameter()?)?)),
            token::T_TOPK => Aggregation::Top(Box::new(self.scalar(parameter()?)?)),
            token::T_BOTTOMK => Aggregation::Bottom(Box::new(self.scalar(parameter()?)?)),
            token::T_COUNT_VALUES => Aggregation::CountValues(self.text(parameter()?)?),
            _ => return Err(QueryError::unsupported(&aggregate.op.to_string())),
        };
        let of = Box::new(self.vector(&aggregate.expr)?);
        Ok(Vector::Aggregate { aggregation, grouping: Grouping::of(aggregate.modifier.as_ref()), of })
    }

    fn binary(&self, binary: &BinaryExpr) -> Planned<Plan> {
        let (left, right) = (self.plan(&binary.lhs)?, self.plan(&binary.rhs)?);
        let matching = Matching::of(binary.modifier.as_ref())?;
        if let Some(operator) = SetOperator::of(binary.op.id()) {
            return match (left, right) {
                (Plan::Vector(left), Plan::Vector(right)) => {
                    let (left, right) = (Box::new(left), Box::new(right));
                    Ok(Plan::Vector(Vector::Set { operator, matching, left, right }))
                }
                _ => {
                    Err(self.mismatch("instant vectors on both sides of a set operator", &Expr::Binary(binary.clone())))
                }
            };
        }
        let operator = Operator::of(binary.op.id()).ok_or_else(|| QueryError::unsupported(&binary.op.to_string()))?;
        let returns_bool = binary.return_bool();
        Ok(match (left, right) {
            (Plan::Scalar(left), Plan::Scalar(right)) => {
                Plan::Scalar(Scalar::Binary { operator, left: Box::new(left), right: Box::new(right) })
            }
            (Plan::Vector(vector), Plan::Scalar(scalar)) => {
                let (vector, scalar) = (Box::new(vector), Box::new(scalar));
                Plan::Vector(Vector::Scalewise { operator, returns_bool, scalar_first: false, vector, scalar })
            }
            (Plan::Scalar(scalar), Plan::Vector(vector)) => {
                let (vector, scalar) = (Box::new(vector), Box::new(scalar));
                Plan::Vector(Vector::Scalewise { operator, returns_bool, scalar_first: true, vector, scalar })
            }
            (Plan::Vector(left), Plan::Vector(right)) => {
                let (left, right) = (Box::new(left), Box::new(right));
                Plan::Vector(Vector::Pairwise { operator, returns_bool, matching, left, right })
            }
            _ => return Err(self.mismatch("numbers or instant vectors", &Expr::Binary(binary.clone()))),
        })
    }

    fn call(&self, call: &Call) -> Planned<Plan> {
        let name = call.func.name;
        let arguments: Vec<&Expr> = call.args.args.iter().map(|argument| &**argument).collect();
        let argument = |index: usize| {
            let found = arguments.get(index).copied();
            found.ok_or_else(|| QueryError::BadData(format!("{name} needs more than {} arguments", arguments.len())))
        };
        let vector = |index| self.vector(argument(index)?).map(Box::new);
        let scalar = |index| self.scalar(argument(index)?).map(Box::new);
        let text = |index| self.text(argument(index)?);
        if let Some(function) = pure(name) {
            return Ok(Plan::Vector(Vector::Map { function: Map::Pure(function), of: vector(0)? }));
        }
        if let Some(field) = Field::of(name) {
            let of = arguments.first().map(|_| vector(0)).transpose()?;
            return Ok(Plan::Vector(Vector::Calendar { field, of }));
        }
        if let Some(function) = Over::simple(name) {
            return Ok(Plan::Vector(Vector::Over { function, range: self.range(argument(0)?)? }));
        }
        Ok(match name {
            "time" => Plan::Scalar(Scalar::Time),
            "pi" => Plan::Scalar(Scalar::Number(std::f64::consts::PI)),
            "scalar" => Plan::Scalar(Scalar::Of(vector(0)?)),
            "vector" => Plan::Vector(Vector::Constant(scalar(0)?)),
            "timestamp" => Plan::Vector(match bare(argument(0)?) {
                Expr::VectorSelector(selector) => Vector::SampleTimes(self.selector(selector)?),
                _ => Vector::Times(vector(0)?),
            }),
            "clamp" => clamp(vector(0)?, Some(scalar(1)?), Some(scalar(2)?)),
            "clamp_min" => clamp(vector(0)?, Some(scalar(1)?), None),
            "clamp_max" => clamp(vector(0)?, None, Some(scalar(1)?)),
            "round" => {
                let to = if arguments.len() > 1 { scalar(1)? } else { Box::new(Scalar::Number(1.0)) };
                Plan::Vector(Vector::Map { function: Map::Round { to }, of: vector(0)? })
            }
            "quantile_over_time" => {
                let function = Over::Quantile(scalar(0)?);
                Plan::Vector(Vector::Over { function, range: self.range(argument(1)?)? })
            }
            "predict_linear" => {
                let function = Over::Predict(scalar(1)?);
                Plan::Vector(Vector::Over { function, range: self.range(argument(0)?)? })
            }
            "absent" => Plan::Vector(Vector::Absent { of: vector(0)?, labels: told(argument(0)?) }),
            "absent_over_time" => {
                Plan::Vector(Vector::AbsentOver { range: self.range(argument(0)?)?, labels: told(argument(0)?) })
            }
            "label_replace" => {
                let (target, replacement, source, regex) = (text(1)?, text(2)?, text(3)?, text(4)?);
                let regex = Regex::new(&format!("^(?s:{regex})$")).map_err(|_| {
                    QueryError::BadData(format!("invalid regular expression in label_replace(): {regex}"))
                })?;
                Plan::Vector(Vector::LabelReplace { of: vector(0)?, target, replacement, source, regex })
            }
            "label_join" => {
                let sources = (3..arguments.len()).map(text).collect::<Planned<_>>()?;
                Plan::Vector(Vector::LabelJoin { of: vector(0)?, target: text(1)?, separator: text(2)?, sources })
            }
            "histogram_quantile" => Plan::Vector(Vector::HistogramQuantile { quantile: scalar(0)?, of: vector(1)? }),
            "sort" => Plan::Vector(Vector::Sort { descending: false, of: vector(0)? }),
            "sort_desc" => Plan::Vector(Vector::Sort { descending: true, of: vector(0)? }),
            _ => return Err(QueryError::unsupported(&format!("the function {name}"))),
        })
    }
}

fn map(function: fn(f64) -> f64, of: Vector) -> Vector {
    Vector::Map { function: Map::Pure(function), of: Box::new(of) }
}

fn clamp(of: Box<Vector>, least: Option<Box<Scalar>>, most: Option<Box<Scalar>>) -> Plan {
    Plan::Vector(Vector::Map { function: Map::Clamp { least, most }, of })
}

/// Functions of one value by itself.
fn pure(name: &str) -> Option<fn(f64) -> f64> {
    Some(match name {
        "abs" => f64::abs,
        "ceil" => f64::ceil,
        "floor" => f64::floor,
        "exp" => f64::exp,
        "sqrt" => f64::sqrt,
        "ln" => f64::ln,
        "log2" => f64::log2,
        "log10" => f64::log10,
        "sin" => f64::sin,
        "cos" => f64::cos,
        "tan" => f64::tan,
        "asin" => f64::asin,
        "acos" => f64::acos,
        "atan" => f64::atan,
        "sinh" => f64::sinh,
        "cosh" => f64::cosh,
        "tanh" => f64::tanh,
        "asinh" => f64::asinh,
        "acosh" => f64::acosh,
        "atanh" => f64::atanh,
        "rad" => |value| value * std::f64::consts::PI / 180.0,
        "deg" => |value| value * 180.0 / std::f64::consts::PI,
        "sgn" => |value| {
            if value < 0.0 {
                -1.0
            } else if value > 0.0 {
                1.0
            } else {
                value
            }
        },
        _ => return None,
    })
}

/// The expression inside all parentheses.
fn bare(expression: &Expr) -> &Expr {
    match expression {
        Expr::Paren(inner) => bare(&inner.expr),
        other => other,
    }
}

/// The labels that a selector tells of a series that isn't there: those it compares for equality, once each.
fn told(expression: &Expr) -> Labels {
    let matchers = match bare(expression) {
        Expr::VectorSelector(selector) => &selector.matchers.matchers,
        Expr::MatrixSelector(selector) => &selector.vs.matchers.matchers,
        _ => return Labels::new(),
    };
    let once = |matcher: &&Matcher| matchers.iter().filter(|other| other.name == matcher.name).count() == 1;
    let equal = matchers.iter().filter(|matcher| matcher.name != NAME && matches!(matcher.op, MatchOp::Equal));
    equal.filter(once).map(|matcher| (matcher.name.as_str(), matcher.value.as_str())).collect()
}

/// A time in milliseconds since 1970.
pub(super) fn since_epoch(time: SystemTime) -> i64 {
    match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(after) => milliseconds(after),
        Err(before) => milliseconds(before.duration()).saturating_neg(),
    }
}

/// By how much earlier an `offset` looks, in milliseconds.
pub(super) fn back(offset: Option<&Offset>) -> i64 {
    match offset {
        None => 0,
        Some(Offset::Pos(duration)) => milliseconds(*duration),
        Some(Offset::Neg(duration)) => milliseconds(*duration).saturating_neg(),
    }
}

pub(super) fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
