//! What a run came to: as data, as a table in a terminal, as Markdown, as `JUnit` and as one page for a browser.

mod chart;
mod compare;
mod html;
mod junit;
mod markdown;
mod results;
mod summary;
mod table;
#[cfg(test)]
mod tests;
mod words;

use std::path::{Path, PathBuf};

pub use compare::{Comparison, Difference, compare};
pub use html::html;
pub use junit::junit;
pub use markdown::markdown;
pub use results::{CaseResult, Measured, Results, ResultsError, TrialResult, VERSION};
pub use summary::{PassAll, Summary};
pub use table::table;

use crate::trial::Trial;

/// The file that holds the results as data.
pub const RESULTS_FILE: &str = "results.json";

/// A report could not be written. Trying again may help.
#[derive(Debug, thiserror::Error)]
#[error("write {}: {source}", path.display())]
pub struct ReportError {
    /// The file.
    path: PathBuf,
    /// Why.
    source: std::io::Error,
}

/// Writes all forms of a report into a folder. `trials` are those of the results, for their transcripts.
pub fn write(results: &Results, trials: &[Trial], folder: &Path) -> Result<(), ReportError> {
    let data = serde_json::to_string_pretty(results).unwrap_or_default() + "\n";
    let forms = [
        (RESULTS_FILE, data),
        ("report.md", markdown(results)),
        ("junit.xml", junit(results)),
        ("report.html", html(results, trials)),
    ];
    for (name, text) in forms {
        let path = folder.join(name);
        std::fs::write(&path, text).map_err(|source| ReportError { path, source })?;
    }
    Ok(())
}
