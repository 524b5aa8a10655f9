//! `traces_search`: slow or failed traces, or one by its id.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::future::join_all;
use marple_core::Period;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::{Search, TraceStore, report, time};
use crate::moment::moment;
use crate::{Effect, Look, Output, Tool, ToolError, ToolSpec, arguments};

/// Traces that are read unless said otherwise, and at most.
const TRACES: u32 = 20;
const MOST: u32 = 100;

/// Traces that are read whole where the store gives only their heads.
const WHOLE: usize = 5;

/// How far before the incident a search begins, and how long it is where there is none.
const BEFORE: Duration = Duration::from_mins(15);
const WITHOUT_INCIDENT: Duration = Duration::from_hours(1);

/// The tools that ask this trace store.
pub fn tools(store: TraceStore) -> Vec<Arc<dyn Tool>> {
    vec![Arc::new(Traces::new(store))]
}

/// Slow or failed traces, or one by its id.
struct Traces {
    store: TraceStore,
    spec: ToolSpec,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Arguments {
    /// One trace, whole.
    trace_id: Option<String>,
    service: Option<String>,
    operation: Option<String>,
    #[serde(default)]
    failed: bool,
    /// As 500ms.
    slower_than: Option<String>,
    /// Default 15m before the incident.
    since: Option<String>,
    /// Default now.
    until: Option<String>,
    limit: Option<u32>,
}

impl Traces {
    fn new(store: TraceStore) -> Self {
        let description =
            "Traces, the slowest first: own time of each service, the longest way down, where failures began.";
        Self { store, spec: arguments::spec::<Arguments>("traces_search", description, Effect::Read) }
    }

    fn wrong(&self, why: impl std::fmt::Display) -> ToolError {
        ToolError::Arguments(format!("{}: {why}", self.spec.name))
    }

    fn search(&self, arguments: Arguments, look: &Look) -> Result<Search, ToolError> {
        let name = &self.spec.name;
        let read = |argument: &str, text: &Option<String>| {
            text.as_deref().map(|text| moment(name, argument, text, look)).transpose()
        };
        let usual = look.incident_start.map_or(look.now.checked_sub(WITHOUT_INCIDENT).unwrap_or(look.now), |start| {
            start.checked_sub(BEFORE).unwrap_or(start)
        });
        let to = read("until", &arguments.until)?.unwrap_or(look.now);
        let from = read("since", &arguments.since)?.unwrap_or(usual);
        if from >= to {
            return Err(self.wrong(format!("`since` is {from:.0}, which is not before `until`, {to:.0}")));
        }
        let slower_than = arguments.slower_than.as_deref().map(|text| {
            text.trim().trim_start_matches(['>', ' ']).parse::<Period>().map(Period::duration).map_err(|_| {
                self.wrong(format!("argument `slower_than` is {text:?}; wanted is a length of time as 500ms or 2s"))
            })
        });
        Ok(Search {
            service: arguments.service,
            operation: arguments.operation,
            failed: arguments.failed,
            slower_than: slower_than.transpose()?,
            from,
            to,
            limit: arguments.limit.unwrap_or(TRACES).clamp(1, MOST) as usize,
        })
    }
}

#[async_trait]
impl Tool for Traces {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn call(&self, arguments: Value, look: &Look) -> Result<Output, ToolError> {
        let arguments: Arguments = arguments::parse(&self.spec.name, arguments)?;
        if let Some(id) = &arguments.trace_id {
            let trace = self.store.trace(id).await?;
            return Ok(Output {
                title: format!("trace {}", trace.id),
                content: report::of_trace(&trace),
                ..Output::default()
            });
        }
        let search = self.search(arguments, look)?;
        let mut hits = self.store.search(&search).await?;
        hits.sort_by_key(|hit| std::cmp::Reverse(hit.duration));
        let unknown: Vec<_> = hits.iter_mut().filter(|hit| hit.trace.is_none()).take(WHOLE).collect();
        let mut unread = None;
        let read = join_all(unknown.iter().map(|hit| self.store.trace(&hit.id))).await;
        for (hit, read) in unknown.into_iter().zip(read) {
            match read {
                Ok(trace) => hit.trace = Some(trace),
                Err(error) => unread = Some(error),
            }
        }
        let at_limit = if hits.len() >= search.limit { ", as many as were asked for" } else { "" };
        let (from, to) = (search.from, search.to);
        let mut content = format!("{} traces from {from:.0} to {to:.0}{at_limit}, the slowest first\n", hits.len());
        content += &report::of_hits(&hits);
        if let Some(error) = unread {
            content += &format!("not all could be read whole: {error}\n");
        }
        if let Some(slowest) = hits.iter().find_map(|hit| hit.trace.as_ref()) {
            content += &format!("\nthe slowest: {}", report::of_trace(slowest));
        }
        Ok(Output { title: title(&search), content, ..Output::default() })
    }
}

/// As `traces of cart GET /cart, failed, slower than 500 ms`.
fn title(search: &Search) -> String {
    let words = [&search.service, &search.operation].into_iter().flatten().map(String::as_str).collect::<Vec<_>>();
    let of = if words.is_empty() { String::new() } else { format!(" of {}", words.join(" ")) };
    let failed = if search.failed { ", failed" } else { "" };
    let slow = search.slower_than.map(|least| format!(", slower than {}", time::told(least))).unwrap_or_default();
    format!("traces{of}{failed}{slow}")
}
