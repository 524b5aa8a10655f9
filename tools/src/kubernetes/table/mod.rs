//! The API server's table columns: the list that `kubectl get` prints.

mod folded;
mod group;
mod read;

use std::fmt::Write as _;

use super::Kind;
use crate::view::grouped;

pub(crate) use group::Key;
pub(crate) use read::Choice;

/// Up to so many rows the wide columns are shown too.
const FEW: usize = 20;

/// From so many rows on they are also counted by their status.
const MANY: usize = 50;

/// Words in a status column that mean that all is well.
const WELL: [&str; 13] = [
    "running",
    "completed",
    "succeeded",
    "ready",
    "bound",
    "active",
    "true",
    "complete",
    "available",
    "healthy",
    "synced",
    "approved,issued",
    "established",
];

/// A list with columns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Table {
    columns: Vec<Column>,
    rows: Vec<Row>,
    /// How many objects there are beyond the rows, as far as the server told.
    more: Option<i64>,
    /// How many rows the gate's rules leave out.
    withheld: usize,
    /// How many objects were looked at.
    seen: usize,
    /// Of how many the filter said nothing, and why of the first.
    unjudged: Option<(usize, String)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Column {
    name: String,
    wide: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Row {
    namespace: Option<String>,
    cells: Vec<String>,
    /// What the expressions give by which rows are grouped.
    keys: Vec<String>,
}

impl Table {
    /// How many rows there are.
    pub(crate) const fn len(&self) -> usize {
        self.rows.len()
    }

    /// How many objects were looked at.
    pub(crate) const fn seen(&self) -> usize {
        self.seen
    }

    /// Of how many objects the filter said nothing, and why of the first.
    pub(crate) fn unjudged(&self) -> Option<(usize, &str)> {
        self.unjudged.as_ref().map(|(count, why)| (*count, why.as_str()))
    }

    /// What is said of rows that the gate's rules leave out.
    pub(crate) fn withheld(&self) -> String {
        match self.withheld {
            0 => String::new(),
            count => format!("… {} more not shown: the gate refuses a look at them …\n", grouped(count)),
        }
    }

    fn unhealthy_first(&mut self) {
        let columns = std::mem::take(&mut self.columns);
        self.rows.sort_by_cached_key(|row| std::cmp::Reverse(trouble(&columns, row)));
        self.columns = columns;
    }

    /// How many rows look unhealthy.
    pub(crate) fn unhealthy(&self) -> usize {
        self.rows.iter().filter(|row| trouble(&self.columns, row) > 1).count()
    }

    /// Aligned columns; those that hold nothing are left out, and the namespace is told where rows differ in it.
    pub(crate) fn written(&self, all_namespaces: bool) -> String {
        self.by_status() + &self.aligned(all_namespaces, self.rows.len() <= FEW) + &self.left_out()
    }

    fn aligned(&self, all_namespaces: bool, wide: bool) -> String {
        let shown: Vec<usize> = self
            .columns
            .iter()
            .enumerate()
            .filter(|(index, column)| {
                !column.wide || wide && self.rows.iter().any(|row| says_something(row.cells.get(*index)))
            })
            .map(|(index, _)| index)
            .collect();
        let spaces = all_namespaces && self.rows.iter().any(|row| row.namespace.is_some());
        let mut lines: Vec<Vec<&str>> = Vec::with_capacity(self.rows.len() + 1);
        let heads: Vec<String> = self.columns.iter().map(|column| column.name.to_uppercase()).collect();
        let pick = |cells: &'_ [String]| {
            shown.iter().map(|index| cells.get(*index).map_or("", String::as_str).to_owned()).collect::<Vec<_>>()
        };
        let head = pick(&heads);
        let rows: Vec<Vec<String>> = self.rows.iter().map(|row| pick(&row.cells)).collect();
        lines.push(spaces.then_some("NAMESPACE").into_iter().chain(head.iter().map(String::as_str)).collect());
        for (row, cells) in self.rows.iter().zip(&rows) {
            let space = spaces.then(|| row.namespace.as_deref().unwrap_or_default());
            lines.push(space.into_iter().chain(cells.iter().map(String::as_str)).collect());
        }
        aligned(&lines)
    }

    /// What the rows are not all of.
    fn left_out(&self) -> String {
        let mut text = self.withheld();
        if let Some(more) = self.more.filter(|more| *more > 0) {
            let _ = writeln!(text, "… at least {more} more left out: narrow it by namespace or selector …");
        }
        if let Some((count, why)) = self.unjudged() {
            let _ = writeln!(text, "… {} are left out for the filter says nothing of them: {why} …", grouped(count));
        }
        text
    }

    /// A line that counts many rows by their status.
    fn by_status(&self) -> String {
        let Some(column) = self.column("Status").filter(|_| self.rows.len() >= MANY) else { return String::new() };
        let counts = group::counted(self.rows.iter().map(|row| row.cells.get(column).map_or("", String::as_str)));
        let counts: Vec<String> =
            counts.iter().map(|(status, count)| format!("{status} {}", grouped(*count))).collect();
        format!("by status: {}\n", counts.join(", "))
    }

    fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name.eq_ignore_ascii_case(name))
    }
}

fn says_something(cell: Option<&String>) -> bool {
    cell.is_some_and(|cell| !matches!(cell.as_str(), "" | "<none>"))
}

/// How bad a row looks by its columns: 3 a bad status, 2 not all ready, 1 restarted, 0 well.
fn trouble(columns: &[Column], row: &Row) -> u8 {
    let cell = |wanted: &[&str]| {
        let found = columns.iter().position(|column| wanted.iter().any(|name| column.name.eq_ignore_ascii_case(name)));
        found.and_then(|index| row.cells.get(index)).map(String::as_str)
    };
    let status = cell(&["Status", "Phase", "Health", "Health Status"]).unwrap_or("Running");
    let well = status.split(',').all(|word| WELL.contains(&word.to_ascii_lowercase().as_str()))
        || WELL.contains(&status.to_ascii_lowercase().as_str());
    if !well && says_something(Some(&status.to_owned())) {
        return 3;
    }
    let done = matches!(status, "Completed" | "Succeeded" | "Complete");
    let ready = cell(&["Ready"]).unwrap_or_default();
    let lacking = match ready.split_once('/') {
        Some((have, want)) => have != want,
        None => ready.eq_ignore_ascii_case("false") || ready.eq_ignore_ascii_case("unknown"),
    };
    // A DaemonSet's columns are bare numbers.
    let short = match (cell(&["Desired"]).and_then(|text| text.parse::<u64>().ok()), ready.parse::<u64>().ok()) {
        (Some(desired), Some(ready)) => ready < desired,
        _ => false,
    };
    if !done && (lacking || short) {
        return 2;
    }
    let restarted = cell(&["Restarts"]).is_some_and(|restarts| !restarts.starts_with('0'));
    u8::from(restarted)
}

/// Columns as wide as their widest cell, two spaces between.
pub(crate) fn aligned(lines: &[Vec<&str>]) -> String {
    let columns = lines.iter().map(Vec::len).max().unwrap_or_default();
    let width = |column: usize| lines.iter().filter_map(|line| line.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or_default().min(60)).collect();
    let mut text = String::new();
    for line in lines {
        let mut written = String::new();
        for (cell, width) in line.iter().zip(&widths) {
            written.push_str(cell);
            let pad = (width + 2).saturating_sub(cell.chars().count()).max(2);
            written.extend(std::iter::repeat_n(' ', pad));
        }
        text.push_str(written.trim_end());
        text.push('\n');
    }
    text
}

/// Whether a list of the kind may be asked for.
pub(crate) fn can_list(kind: &Kind) -> bool {
    kind.verbs.is_empty() || kind.verbs.iter().any(|verb| verb == "list")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::read::of_server;
    use super::*;

    #[test]
    fn the_unhealthy_come_first_and_empty_wide_columns_go() {
        let row = |name: &str, ready: &str, status: &str, restarts: &str| json!({"cells": [name, ready, status, restarts, "n1", "<none>"], "object": {"metadata": {"namespace": "shop"}}});
        let answer = json!({"kind": "Table",
            "columnDefinitions": [{"name": "Name"}, {"name": "Ready"}, {"name": "Status"}, {"name": "Restarts"},
                {"name": "Node", "priority": 1}, {"name": "Nominated Node", "priority": 1}],
            "rows": [row("a", "1/1", "Running", "0"), row("b", "1/1", "Running", "3 (2m ago)"), row("c", "0/1", "Running", "0"),
                row("d", "0/1", "CrashLoopBackOff", "9"), row("e", "0/1", "Completed", "0")]});
        let mut table = of_server(&answer);
        table.unhealthy_first();
        assert_eq!(
            table.written(true),
            "NAMESPACE  NAME  READY  STATUS            RESTARTS    NODE\n\
             shop       d     0/1    CrashLoopBackOff  9           n1\n\
             shop       c     0/1    Running           0           n1\n\
             shop       b     1/1    Running           3 (2m ago)  n1\n\
             shop       a     1/1    Running           0           n1\n\
             shop       e     0/1    Completed         0           n1\n"
        );
        assert_eq!(table.unhealthy(), 2);
    }

    #[test]
    fn nodes_claims_and_daemon_sets_are_judged_too() {
        let judge = |columns: &[&str], cells: &[&str]| {
            let columns: Vec<Column> =
                columns.iter().map(|&name| Column { name: name.to_owned(), wide: false }).collect();
            trouble(&columns, &Row { cells: cells.iter().map(|&cell| cell.to_owned()).collect(), ..Row::default() })
        };
        assert_eq!(judge(&["Name", "Status"], &["n", "Ready,SchedulingDisabled"]), 3);
        assert_eq!(judge(&["Name", "Status"], &["n", "NotReady"]), 3);
        assert_eq!(judge(&["Name", "Status"], &["claim", "Pending"]), 3);
        assert_eq!(judge(&["Name", "Status"], &["claim", "Bound"]), 0);
        assert_eq!(judge(&["Name", "Desired", "Current", "Ready"], &["agent", "3", "3", "2"]), 2);
        assert_eq!(judge(&["Name", "Data", "Age"], &["settings", "3", "5m"]), 0);
    }
}
