//! What of a query can be known by the recording.

use regex::Regex;

use super::Server;
use super::answer::Failure;
use super::parameters::Parameters;
use crate::bundle::Bundle;
use crate::promql::LOOKBACK;
use crate::promql::coverage::{Coverage, Covered, Times};

/// How the manifest names what an older recording left out.
const HISTOGRAM: &str = "native histogram ";

/// How it names a metric of which series were left out.
const METRIC: &str = "metric ";

/// How it names all of them.
const METRICS: &str = "metrics";

/// What was recorded of the metrics.
pub(super) fn of(bundle: &Bundle) -> Coverage {
    let Some(state) = &bundle.prometheus else { return Coverage::default() };
    let manifest = &bundle.manifest;
    let resources = &bundle.kubernetes.resources;
    let namespaces = resources.iter().find(|one| one.group_version == "v1" && one.resource == "namespaces");
    let namespaces = namespaces.into_iter().flat_map(|all| &all.objects).map(|object| object.name().to_owned());
    let told = manifest.omissions.iter();
    let named = told.clone().filter_map(|one| one.what.strip_prefix(HISTOGRAM));
    let named = named.map(|name| [("__name__", name)].into_iter().collect());
    Coverage {
        from: Some(manifest.since.as_millisecond().saturating_sub(LOOKBACK)),
        namespaces: manifest.namespaces.clone(),
        others: namespaces.filter(|name| !manifest.namespaces.contains(name)).collect(),
        whole: state.whole.as_ref().and_then(|whole| Regex::new(&format!("^(?:{whole})$")).ok()),
        histograms: state.histograms.iter().cloned().chain(named).collect(),
        cut: told.clone().filter(|one| one.what == METRICS).map(|one| one.why.clone()).collect(),
        left_out: told
            .filter_map(|one| Some((one.what.strip_prefix(METRIC)?.to_owned(), one.why.clone())))
            // A resource may be called so: `metric of example.com/v1`.
            .filter(|(name, _)| !name.contains(' '))
            .collect(),
    }
}

/// What is missing of a query's answer, in words; its first time is moved to where all is known.
pub(super) fn covered(server: &Server, path: &str, parameters: &mut Parameters) -> Result<Vec<String>, Failure> {
    let query = parameters.get("query").unwrap_or_default().to_owned();
    let known = |start, end, step| server.coverage.of(&server.store, &query, Times { start, end, step });
    if path == "/api/v1/query" {
        let at = parameters.time("time")?.unwrap_or(server.now.as_millisecond());
        parameters.set("time", seconds(at));
        return Ok(known(at, at, 0)?.warnings);
    }
    let (start, end) = (parameters.required_time("start")?, parameters.required_time("end")?);
    let step = parameters.duration("step")?;
    if end < start || step <= 0 {
        // It is refused by whoever evaluates it.
        return Ok(Vec::new());
    }
    let Covered { later, warnings } = known(start, end, step)?;
    if later > 0 {
        parameters.set("start", seconds(start.saturating_add(later)));
    }
    Ok(warnings)
}

/// A time as a parameter.
fn seconds(milliseconds: i64) -> String {
    let (whole, part) = (milliseconds / 1000, milliseconds.rem_euclid(1000));
    // The sign of a time just before 1970 would be lost in its whole part.
    if part == 0 || milliseconds < 0 { whole.to_string() } else { format!("{whole}.{part:03}") }
}
