//! A long list with rows that say the same told as one.

use std::collections::HashMap;

use super::{FEW, Row, Table, trouble};
use crate::view::names;

/// How many names of a row that stands for several are told.
const NAMES: usize = 3;

/// What rows that are told as one have in common.
#[derive(PartialEq, Eq, Hash)]
enum Likeness<'r> {
    /// A row that looks unhealthy or restarted stands for itself.
    Itself(usize),
    Alike {
        namespace: Option<&'r str>,
        /// The name up to its last part, which a controller gives.
        family: &'r str,
        /// The unit of its age: pods of another day are of another rollout.
        age: Option<&'r str>,
        cells: Vec<&'r str>,
    },
}

impl Table {
    /// The list with healthy pods that differ in name, age and address alone told as one row. Nothing where it is short,
    /// or no two are alike.
    pub(crate) fn folded(&self, all_namespaces: bool) -> Option<String> {
        if self.rows.len() <= FEW {
            return None;
        }
        let (name, age) = (self.column("Name")?, self.column("Age")?);
        let mut places = HashMap::new();
        let mut groups: Vec<Vec<&Row>> = vec![];
        for (index, row) in self.rows.iter().enumerate() {
            let place = *places.entry(self.likeness(index, row, name, age)).or_insert(groups.len());
            match groups.get_mut(place) {
                Some(group) => group.push(row),
                None => groups.push(vec![row]),
            }
        }
        if groups.len() == self.rows.len() {
            return None;
        }
        let rows = groups.iter().filter_map(|group| together(group, name, age)).collect();
        let shown = Self { columns: self.columns.clone(), rows, ..Self::default() };
        Some(self.by_status() + &shown.aligned(all_namespaces, false) + &self.left_out())
    }

    fn likeness<'r>(&'r self, index: usize, row: &'r Row, name: usize, age: usize) -> Likeness<'r> {
        let cell = |column: usize| row.cells.get(column).map_or("", String::as_str);
        match cell(name).rsplit_once('-') {
            Some((family, _)) if trouble(&self.columns, row) == 0 => {
                let told =
                    self.columns.iter().enumerate().filter(|(at, column)| !column.wide && *at != name && *at != age);
                Likeness::Alike {
                    namespace: row.namespace.as_deref(),
                    family,
                    age: cell(age).split(|letter: char| letter.is_ascii_digit()).find(|unit| !unit.is_empty()),
                    cells: told.map(|(at, _)| cell(at)).collect(),
                }
            }
            _ => Likeness::Itself(index),
        }
    }
}

/// One row for all of a group, with its names and the span of its ages.
fn together(group: &[&Row], name: usize, age: usize) -> Option<Row> {
    let (first, last) = (group.first()?, group.last()?);
    let mut row = (*first).clone();
    if group.len() > 1 {
        let all: Vec<&str> = group.iter().filter_map(|row| row.cells.get(name)).map(String::as_str).collect();
        *row.cells.get_mut(name)? = names(&all, NAMES);
        let (one, other) = (first.cells.get(age)?, last.cells.get(age)?);
        if one != other {
            *row.cells.get_mut(age)? = format!("{one}…{other}");
        }
    }
    Some(row)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::read::of_server;
    use super::*;

    fn table(rows: &[Value]) -> Table {
        let columns = ["Name", "Ready", "Status", "Restarts", "Age"].map(|name| json!({"name": name}));
        let mut table = of_server(&json!({"kind": "Table", "columnDefinitions": columns, "rows": rows}));
        table.unhealthy_first();
        table
    }

    fn row(name: &str, ready: &str, status: &str, age: &str) -> Value {
        json!({"cells": [name, ready, status, "0", age], "object": {"metadata": {"namespace": "shop"}}})
    }

    #[test]
    fn equal_pods_are_one_row_and_what_differs_stands_apart() {
        let mut rows: Vec<Value> =
            (0..40).map(|pod| row(&format!("cart-7d4-p{pod}"), "1/1", "Running", &format!("{}d2h", 5 + pod))).collect();
        rows.push(row("cart-7d4-young", "1/1", "Running", "3m"));
        rows.push(row("cart-7d4-bad", "0/1", "CrashLoopBackOff", "5d2h"));
        rows.push(row("web-5c-a", "1/1", "Running", "5d"));
        assert_eq!(
            table(&rows).folded(false).unwrap(),
            "NAME                               READY  STATUS            RESTARTS  AGE\n\
             cart-7d4-bad                       0/1    CrashLoopBackOff  0         5d2h\n\
             cart-7d4-{p0, p1, p2} and 37 more  1/1    Running           0         5d2h…44d2h\n\
             cart-7d4-young                     1/1    Running           0         3m\n\
             web-5c-a                           1/1    Running           0         5d\n"
        );
    }

    #[test]
    fn a_short_list_and_one_of_different_rows_stay_as_they_are() {
        let few: Vec<Value> = (0..3).map(|pod| row(&format!("cart-7d4-p{pod}"), "1/1", "Running", "5d")).collect();
        assert_eq!(table(&few).folded(false), None);
        let different: Vec<Value> =
            (0..40).map(|pod| row(&format!("cart{pod}-7d4-a"), "1/1", "Running", "5d")).collect();
        assert_eq!(table(&different).folded(false), None);
    }
}
