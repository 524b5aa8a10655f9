//! Reads a list as the server's table, page by page.

use std::ops::ControlFlow;

use jiff::Timestamp;
use serde_json::Value;

use super::{Column, Key, Row, Table};
use crate::kubernetes::cel::Expression;
use crate::kubernetes::clock::Clock;
use crate::kubernetes::cluster::{PAGE, selection, typed};
use crate::kubernetes::field::{items, name, namespace, number, text, time};
use crate::kubernetes::pods::Summary;
use crate::kubernetes::request::{Question, TABLE};
use crate::kubernetes::{Cluster, Kind, LookError};
use crate::view::mask_secret;

/// The most objects that are looked at, and the most rows that are kept: some 10 MB.
const SEEN: usize = 100_000;
const ROWS: usize = 20_000;

/// Which objects of a kind are wanted.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Choice<'a> {
    /// Of all, where none is named.
    pub(crate) namespace: Option<&'a str>,
    /// A label selector.
    pub(crate) labels: Option<&'a str>,
    /// A field selector.
    pub(crate) fields: Option<&'a str>,
    /// What must hold for the object.
    pub(crate) filter: Option<&'a Expression>,
    /// What the rows are counted by.
    pub(crate) keys: &'a [Key],
}

impl Choice<'_> {
    /// How much of each object the rows carry: each byte is sent 5,000 times for 5,000 pods. Where some rows may have
    /// to be left out, each must tell its name.
    fn include(&self, cluster: &Cluster, kind: &Kind) -> Option<&'static str> {
        // Whether an event may be seen depends on what it is about.
        let whole = self.filter.is_some() || kind.kind == "Event";
        if whole || self.keys.iter().any(|key| matches!(key, Key::Expression(..))) {
            Some("Object")
        } else {
            // Without a namespace the rows' metadata tell it, which is the server's default.
            self.bare(cluster, kind).then_some("None")
        }
    }

    /// Whether nothing that the list has needs to be left out.
    fn bare(&self, cluster: &Cluster, kind: &Kind) -> bool {
        kind.kind != "Event" && self.namespace.is_some_and(|space| cluster.shows_all(&kind.kind, space))
    }
}

impl Cluster {
    /// Objects of a kind with the server's columns, the unhealthy first. Each page is read row by row.
    pub(crate) async fn table(
        &self,
        kind: &Kind,
        choice: Choice<'_>,
        now: Timestamp,
        clock: Clock,
    ) -> Result<Table, LookError> {
        let mut reading = Reading { cluster: self, kind, choice, now, clock, table: Table::default() };
        let mut token: Option<String> = None;
        loop {
            let mut question = Question::list(kind, choice.namespace);
            question.accept = TABLE;
            question.query = selection(choice.labels, choice.fields, PAGE, token.as_deref());
            question.query.extend(choice.include(self, kind).map(|include| ("includeObject", include.to_owned())));
            let rest = self.page(&question, &mut |item| reading.take(item)).await?;
            let table = &mut reading.table;
            if table.columns.is_empty() {
                table.columns = columns(kind, &rest.list);
            }
            token = rest.token;
            if token.is_none() || table.seen >= SEEN || table.rows.len() >= ROWS {
                table.more = rest.remaining.or_else(|| token.is_some().then_some(1));
                table.unhealthy_first();
                return Ok(reading.table);
            }
        }
    }
}

/// A table that is being read.
struct Reading<'a> {
    cluster: &'a Cluster,
    kind: &'a Kind,
    choice: Choice<'a>,
    now: Timestamp,
    clock: Clock,
    table: Table,
}

impl Reading<'_> {
    fn take(&mut self, item: Value) -> ControlFlow<()> {
        let object = if item.get("cells").is_some() { item.get("object") } else { Some(&item) };
        let permitted = || self.cluster.permits(self.kind, object.unwrap_or(&Value::Null));
        if !self.choice.bare(self.cluster, self.kind) && !permitted() {
            self.table.withheld += 1;
            return ControlFlow::Continue(());
        }
        self.table.seen += 1;
        let (mut row, object) = row(self.kind, item, self.clock);
        if let Some(filter) = self.choice.filter {
            match filter.holds(&object, self.now) {
                Ok(true) => {}
                Ok(false) => return ControlFlow::Continue(()),
                Err(fault) => {
                    self.table.unjudged.get_or_insert_with(|| (0, fault.to_string())).0 += 1;
                    return ControlFlow::Continue(());
                }
            }
        }
        for key in self.choice.keys {
            if let Key::Expression(_, expression) = key {
                // An object without the field is one of those without it.
                row.keys.push(expression.told(&object, self.now).unwrap_or_else(|_| "(none)".to_owned()));
            }
        }
        self.table.rows.push(row);
        ControlFlow::Continue(())
    }
}

/// A row of a server's table, or of an object from a server that knows no tables; and the object, as far as it came.
fn row(kind: &Kind, mut item: Value, clock: Clock) -> (Row, Value) {
    let cells = items(&item, "/cells").map(cell).collect::<Vec<_>>();
    if item.get("cells").is_none() {
        let mut object = typed(kind, item);
        mask_secret(&mut object);
        let cells = cells_of(kind, &object, clock);
        return (Row { namespace: namespace(&object).map(str::to_owned), cells, keys: vec![] }, object);
    }
    let object = item.get_mut("object").map(Value::take).unwrap_or_default();
    // Metadata alone says that it is a `PartialObjectMetadata`.
    let partial = text(&object, "/kind") == Some("PartialObjectMetadata");
    let mut object = if partial { object } else { typed(kind, object) };
    mask_secret(&mut object);
    (Row { namespace: namespace(&object).map(str::to_owned), cells, keys: vec![] }, object)
}

fn columns(kind: &Kind, list: &Value) -> Vec<Column> {
    if text(list, "/kind") != Some("Table") {
        return names(kind).iter().map(|&name| Column { name: name.to_owned(), wide: false }).collect();
    }
    let column = |column: &Value| Column {
        name: text(column, "/name").unwrap_or_default().to_owned(),
        wide: number(column, "/priority").is_some_and(|priority| priority > 0),
    };
    items(list, "/columnDefinitions").map(column).collect()
}

fn is_pod(kind: &Kind) -> bool {
    kind.kind == "Pod" && kind.group.is_empty()
}

fn names(kind: &Kind) -> &'static [&'static str] {
    if is_pod(kind) { &["Name", "Ready", "Status", "Restarts", "Age"] } else { &["Name", "Age"] }
}

fn cells_of(kind: &Kind, object: &Value, clock: Clock) -> Vec<String> {
    let age = time(object, "/metadata/creationTimestamp").map(|at| clock.age(at)).unwrap_or_default();
    if !is_pod(kind) {
        return vec![name(object).to_owned(), age];
    }
    let pod = Summary::of(object);
    let ready = format!("{}/{}", pod.ready, pod.containers);
    vec![name(object).to_owned(), ready, pod.status, pod.restarts.to_string(), age]
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => "<none>".to_owned(),
        Value::String(text) => text.replace('\n', " "),
        other => other.to_string(),
    }
}

#[cfg(test)]
pub(super) fn of_server(answer: &Value) -> Table {
    let pods = Kind {
        group: String::new(),
        version: "v1".to_owned(),
        kind: "Pod".to_owned(),
        plural: "pods".to_owned(),
        singular: String::new(),
        short: vec![],
        namespaced: true,
        verbs: vec![],
    };
    let clock = Clock::of(&crate::Look {
        incident_start: None,
        now: Timestamp::UNIX_EPOCH,
        cancel: tokio_util::sync::CancellationToken::new(),
    });
    Table {
        columns: columns(&pods, answer),
        rows: items(answer, "/rows").map(|item| row(&pods, item.clone(), clock).0).collect(),
        ..Table::default()
    }
}
