//! Trials that have ended, as files.

use std::fs;
use std::path::{Path, PathBuf};

use super::{Key, Trial, VERSION};

/// A trial could not be kept, or what was kept can't be read. Trying again may help.
#[derive(Debug, thiserror::Error)]
#[error("{doing} {}: {source}", path.display())]
pub struct TrialError {
    /// What was being done.
    doing: &'static str,
    /// The file.
    path: PathBuf,
    /// Why it failed.
    source: std::io::Error,
}

/// A folder of trials, a file each.
#[derive(Clone, Debug)]
pub struct TrialFolder(PathBuf);

impl TrialFolder {
    /// Opens one, and makes it where it is not there.
    pub fn open(path: &Path) -> Result<Self, TrialError> {
        fs::create_dir_all(path).map_err(|source| TrialError { doing: "make", path: path.to_owned(), source })?;
        Ok(Self(path.to_owned()))
    }

    /// The name of a trial's file.
    pub fn file(case: &str, investigator: &str, number: u32, key: &Key) -> String {
        format!("{case}.{investigator}.{number}.{}.json", key.short())
    }

    /// The trial of this key, where it was kept and came to an answer: one that failed is tried again, and so is one whose
    /// file was cut or is of another version.
    pub fn find(&self, case: &str, kind: &str, number: u32, key: &Key) -> Option<Trial> {
        let text = fs::read_to_string(self.0.join(Self::file(case, kind, number, key))).ok()?;
        let trial: Trial = serde_json::from_str(&text).ok()?;
        (trial.version == VERSION && trial.key == *key && trial.failure().is_none()).then_some(trial)
    }

    /// Keeps a trial, whole or not at all.
    pub fn keep(&self, trial: &Trial, kind: &str) -> Result<(), TrialError> {
        let path = self.0.join(Self::file(&trial.case, kind, trial.number, &trial.key));
        let failed = |source| TrialError { doing: "write", path: path.clone(), source };
        let text = serde_json::to_string_pretty(trial).map_err(|error| failed(error.into()))?;
        let unfinished = path.with_extension("unfinished");
        fs::write(&unfinished, text).map_err(failed)?;
        fs::rename(&unfinished, &path).map_err(failed)
    }
}
