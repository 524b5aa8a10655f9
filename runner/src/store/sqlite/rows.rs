//! Statements that write several rows: a statement costs more than a row.

use std::sync::Arc;

use sqlx::AssertSqlSafe;

/// How many rows one statement writes: few sizes, so that the statements stay prepared.
const SIZES: [usize; 3] = [32, 8, 1];

/// A statement for each number of rows that is written at a time.
pub(super) struct Rows([(usize, Arc<str>); 3]);

impl Rows {
    /// `before` stands before the rows, as `INSERT INTO … VALUES`, and `after` behind them.
    pub(super) fn new(before: &str, columns: usize, after: &str) -> Self {
        let row = format!("({})", vec!["?"; columns].join(", "));
        Self(SIZES.map(|size| (size, format!("{before} {} {after}", vec![row.as_str(); size].join(", ")).into())))
    }

    /// The rows in order, as many at a time as one statement writes, each time with that statement.
    pub(super) fn split<'r, T>(&'r self, rows: &'r [T]) -> impl Iterator<Item = (AssertSqlSafe<Arc<str>>, &'r [T])> {
        let mut rest = rows;
        self.0.iter().flat_map(move |(size, sql)| {
            let (whole, after) = rest.split_at(rest.len() - rest.len() % size);
            rest = after;
            whole.chunks(*size).map(move |chunk| (AssertSqlSafe(Arc::clone(sql)), chunk))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_written_in_order_by_few_statements() {
        let rows = Rows::new("INSERT INTO t (a, b) VALUES", 2, "ON CONFLICT DO NOTHING");
        let numbers: Vec<usize> = (0..42).collect();
        let split: Vec<_> = rows.split(&numbers).collect();
        assert_eq!(split.iter().map(|(_, chunk)| chunk.len()).collect::<Vec<_>>(), [32, 8, 1, 1]);
        assert_eq!(split.iter().flat_map(|(_, chunk)| chunk.iter().copied()).collect::<Vec<_>>(), numbers);
        let (AssertSqlSafe(last), _) = &split[3];
        assert_eq!(&**last, "INSERT INTO t (a, b) VALUES (?, ?) ON CONFLICT DO NOTHING");
        assert_eq!(rows.split::<usize>(&[]).count(), 0);
    }
}
