//! Queries are read before they are sent, and one that would return too much is narrowed.

use jiff::Timestamp;

use super::expression::Expression;
use super::{Prometheus, PrometheusError};

/// More series than this tell a reader nothing.
const SERIES: f64 = 300.0;

/// How many are asked for instead.
const LARGEST: usize = 40;

/// A query as it is sent.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Narrowed {
    pub(super) query: String,
    /// How it was narrowed, as a line; empty where it was not.
    pub(super) note: String,
}

/// The query as people wrote it, read; `None` where only the server may know what it means.
pub(super) fn read(query: &str) -> Result<Option<Expression>, PrometheusError> {
    match Expression::parse(query) {
        Ok(expression) => Ok(Some(expression)),
        // A newer Prometheus and VictoriaMetrics know more functions, and words, than the parser here.
        Err(why) if why.contains("unknown function") || OWN_WORDS.iter().any(|word| has_word(query, word)) => Ok(None),
        Err(why) => {
            // As people, and Prometheus itself, call it.
            let why = why.replace("type matrix", "type range vector");
            Err(PrometheusError::Query(format!("the query was not sent, for it can't be read: {why}")))
        }
    }
}

/// Words of `MetricsQL`.
const OWN_WORDS: [&str; 8] =
    ["WITH", "with", "default", "if", "ifnot", "keep_metric_names", "keep_last_value", "limit"];

fn has_word(query: &str, word: &str) -> bool {
    query.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').any(|part| part == word)
}

/// The query, or where it has hundreds of series at a time, its largest ones.
pub(super) async fn narrowed(prometheus: &Prometheus, query: &str, at: Timestamp) -> Result<Narrowed, PrometheusError> {
    let as_it_is = Narrowed { query: query.to_owned(), note: String::new() };
    let Some(expression) = read(query)? else { return Ok(as_it_is) };
    if !expression.may_have_many() {
        return Ok(as_it_is);
    }
    let counted = prometheus.instant(&format!("count({query})"), Some(at)).await;
    let count = match counted {
        Ok(counted) => {
            counted.answer.into_series().first().and_then(|series| series.points.first()).map(|point| point.value)
        }
        // What is wrong with the query is told by the query itself.
        Err(_) => None,
    };
    let Some(count) = count.filter(|count| *count > SERIES) else { return Ok(as_it_is) };
    let query = format!("topk({LARGEST}, {query})");
    let note = format!(
        "narrowed: the query has {count} series; asked was `{query}`, the {LARGEST} largest at each time; sum by a label, or \
         match fewer\n"
    );
    Ok(Narrowed { query, note })
}
