//! What is wrong with a case.

use std::path::PathBuf;

/// A case or a suite can't be used. Trying again helps only for `Read`.
#[derive(Debug, thiserror::Error)]
pub enum CaseError {
    /// A file or folder could not be read.
    #[error("{}: {source}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is no YAML.
    #[error("{} is no valid YAML: {why}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Why, with line and column.
        why: String,
    },
    /// A field has a fault.
    #[error("{}: {at}: {what}", path.display())]
    Field {
        /// The file.
        path: PathBuf,
        /// The field's path, as `causes[0].object`.
        at: String,
        /// What is wrong, and what to write.
        what: String,
    },
    /// A case has no bundle.
    #[error("{} has a case and no bundle: record one as {} there", folder.display(), super::BUNDLE_FILE)]
    NoBundle {
        /// Its folder.
        folder: PathBuf,
    },
    /// The name of a case's folder can't be an id.
    #[error("{} is no name for a case: use lower case letters, digits and hyphens, as amber-quay", folder.display())]
    Name {
        /// The folder.
        folder: PathBuf,
    },
    /// There is no case.
    #[error("{} holds no case: a case is a folder with {} and {}", folder.display(), super::CASE_FILE, super::BUNDLE_FILE)]
    Empty {
        /// The folder.
        folder: PathBuf,
    },
    /// The pattern leaves no case.
    #[error("no case of {} is named {only}; there are {known}", folder.display())]
    NoneLeft {
        /// The suite.
        folder: PathBuf,
        /// The pattern.
        only: String,
        /// The cases that there are.
        known: String,
    },
}
