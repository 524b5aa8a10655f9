//! The tools that ask a Prometheus. Each is one file here and one line in the registry.

mod find;
mod query;
mod range;
mod rule;
mod status;

use std::sync::Arc;

use super::{Prometheus, Series, labels};
use crate::Tool;
use crate::prometheus::number::Unit;

/// The tools that ask this Prometheus.
pub fn tools(prometheus: Prometheus) -> Vec<Arc<dyn Tool>> {
    vec![
        Arc::new(query::Query::new(prometheus.clone())),
        Arc::new(range::Range::new(prometheus.clone())),
        Arc::new(rule::Rule::new(prometheus.clone())),
        Arc::new(find::Find::new(prometheus.clone())),
        Arc::new(status::Status::new(prometheus)),
    ]
}

/// Series of an instant query, a line each: what all have in common first, then at most `most` of them.
fn instant(series: &[Series], unit: Unit, most: usize) -> String {
    let common = labels::common(series.iter().map(|series| &series.labels));
    let mut text = labels::common_line(&common);
    for series in series.iter().take(most) {
        let name = labels::told(&series.labels, &common);
        let values: Vec<String> = match series.points.as_slice() {
            [] => vec!["a histogram, no number".to_owned()],
            [only] => vec![unit.told(only.value)],
            several => several.iter().map(|point| format!("{:.0} {}", point.at, unit.told(point.value))).collect(),
        };
        text += format!("{name} {}", values.join(", ")).trim_start();
        text.push('\n');
    }
    let more = series.len().saturating_sub(most);
    if more > 0 {
        text += &format!("… {more} more series left out …\n");
    }
    text
}

/// What the server warned of, a line each.
fn warnings(warnings: &[String]) -> String {
    warnings.iter().map(|warning| format!("Prometheus warns: {warning}\n")).collect()
}

/// `1 series` or `3 series`; `rule` and other words take an s.
fn counted(count: usize, one: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {one}s") }
}

#[cfg(test)]
mod tests;
