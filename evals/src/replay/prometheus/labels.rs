//! Series, label names and label values.

use std::collections::BTreeSet;

use marple_core::Labels;
use serde_json::{Value, json};

use super::Server;
use super::answer::Failure;
use super::parameters::Parameters;

/// `/api/v1/series`
pub(super) fn series(server: &Server, parameters: &Parameters) -> Result<Value, Failure> {
    if parameters.get("match[]").is_none() {
        return Err(Failure::bad_data("no match[] parameter provided"));
    }
    limited(found(server, parameters)?, parameters)
}

/// `/api/v1/labels`
pub(super) fn names(server: &Server, parameters: &Parameters) -> Result<Value, Failure> {
    let found = found(server, parameters)?;
    limited(found.iter().flat_map(|labels| labels.iter().map(|(name, _)| name)).collect::<BTreeSet<_>>(), parameters)
}

/// `/api/v1/label/<name>/values`
pub(super) fn values(server: &Server, name: &str, parameters: &Parameters) -> Result<Value, Failure> {
    let found = found(server, parameters)?;
    limited(found.iter().filter_map(|labels| labels.get(name)).collect::<BTreeSet<_>>(), parameters)
}

/// The label sets that any of the selectors finds, or all where there is none.
fn found<'a>(server: &'a Server, parameters: &Parameters) -> Result<BTreeSet<&'a Labels>, Failure> {
    let start = parameters.time("start")?.unwrap_or(i64::MIN);
    let end = parameters.time("end")?.unwrap_or(i64::MAX);
    if parameters.get("match[]").is_none() {
        return Ok(server.store.all(start, end).into_iter().collect());
    }
    let mut found = BTreeSet::new();
    for selector in parameters.all("match[]") {
        found.extend(server.store.select(selector, start, end)?);
    }
    Ok(found)
}

fn limited<T: serde::Serialize>(found: BTreeSet<T>, parameters: &Parameters) -> Result<Value, Failure> {
    let limit = parameters.limit()?.unwrap_or(usize::MAX);
    Ok(json!(found.into_iter().take(limit).collect::<Vec<_>>()))
}
