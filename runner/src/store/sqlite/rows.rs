//! Statements that write several rows: a statement costs more than a row.

use std::sync::Arc;

use sqlx::AssertSqlSafe;

/// How many rows one statement writes: few sizes, so that the statements stay prepared.
const SIZES: [usize; 4] = [128, 32, 8, 1];

/// A statement for each number of rows that is written at a time.
pub(super) struct Rows([(usize, Arc<str>); 4]);

impl Rows {
    /// `before` stands before the rows, as `INSERT INTO … VALUES`, and `after` behind them.
    pub(super) fn new(before: &str, columns: usize, after: &str) -> Self {
        let row = format!("({})", vec!["?"; columns].join(", "));
        Self(SIZES.map(|size| (size, format!("{before} {} {after}", vec![row.as_str(); size].join(", ")).into())))
    }

    /// The statements that write so many rows, each with how many of them, in order.
    pub(super) fn split(&self, rows: usize) -> impl Iterator<Item = (AssertSqlSafe<Arc<str>>, usize)> {
        let mut rest = rows;
        self.0.iter().flat_map(move |(size, sql)| {
            let times = rest / size;
            rest %= size;
            (0..times).map(move |_| (AssertSqlSafe(Arc::clone(sql)), *size))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_written_in_order_by_few_statements() {
        let rows = Rows::new("INSERT INTO t (a, b) VALUES", 2, "ON CONFLICT DO NOTHING");
        let split: Vec<_> = rows.split(42).collect();
        assert_eq!(split.iter().map(|(_, count)| *count).collect::<Vec<_>>(), [32, 8, 1, 1]);
        let (AssertSqlSafe(last), _) = &split[3];
        assert_eq!(&**last, "INSERT INTO t (a, b) VALUES (?, ?) ON CONFLICT DO NOTHING");
        assert_eq!(rows.split(300).map(|(_, count)| count).collect::<Vec<_>>(), [128, 128, 32, 8, 1, 1, 1, 1]);
        assert_eq!(rows.split(0).count(), 0);
    }
}
