//! A folder of cases.

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use marple_core::hex;
use sha2::{Digest as _, Sha256};

use super::{Case, CaseError, NamePattern};

/// The file that says what is asked and what is right.
pub const CASE_FILE: &str = "case.yaml";

/// The recording beside it.
pub const BUNDLE_FILE: &str = "incident.bundle";

/// A case with its recording, which is read only when it is its turn.
#[derive(Clone, Debug, PartialEq)]
pub struct SuiteCase {
    /// The name of its folder.
    pub id: String,
    /// What is asked and what is right.
    pub case: Case,
    /// The recording.
    pub bundle: PathBuf,
    /// SHA-256 of the recording's file, in hexadecimal.
    pub digest: String,
}

/// Cases, by their ids.
#[derive(Clone, Debug, PartialEq)]
pub struct Suite {
    /// Where they are.
    pub folder: PathBuf,
    /// The cases, in the order of their ids.
    pub cases: Vec<SuiteCase>,
}

impl Suite {
    /// Reads all cases of a folder, or the one case that the folder is; `only` leaves those whose ids it matches, one
    /// `*` standing for any characters. A fault in any case is an error: what is left out unseen is not measured.
    pub fn open(folder: &Path, only: Option<&str>) -> Result<Self, CaseError> {
        let read = |source| CaseError::Read { path: folder.to_owned(), source };
        let mut folders = Vec::new();
        if folder.join(CASE_FILE).is_file() {
            folders.push(fs::canonicalize(folder).map_err(read)?);
        } else {
            for entry in fs::read_dir(folder).map_err(read)? {
                let path = entry.map_err(read)?.path();
                if path.join(CASE_FILE).is_file() {
                    folders.push(path);
                }
            }
        }
        folders.sort();
        if folders.is_empty() {
            return Err(CaseError::Empty { folder: folder.to_owned() });
        }
        let mut cases = folders.iter().map(|folder| case(folder)).collect::<Result<Vec<_>, _>>()?;
        if let Some(only) = only {
            let known = cases.iter().map(|case| case.id.as_str()).collect::<Vec<_>>().join(", ");
            let pattern = NamePattern::new(only);
            cases.retain(|case| pattern.as_ref().is_some_and(|pattern| pattern.matches(&case.id)));
            if cases.is_empty() {
                return Err(CaseError::NoneLeft { folder: folder.to_owned(), only: only.to_owned(), known });
            }
        }
        Ok(Self { folder: folder.to_owned(), cases })
    }
}

fn case(folder: &Path) -> Result<SuiteCase, CaseError> {
    let id = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
    if id.is_empty() || !id.chars().all(plain) {
        return Err(CaseError::Name { folder: folder.to_owned() });
    }
    let path = folder.join(CASE_FILE);
    let text = fs::read_to_string(&path).map_err(|source| CaseError::Read { path: path.clone(), source })?;
    let case = Case::from_yaml(&text, &path)?;
    let bundle = folder.join(BUNDLE_FILE);
    if !bundle.is_file() {
        return Err(CaseError::NoBundle { folder: folder.to_owned() });
    }
    let digest = digest(&bundle).map_err(|source| CaseError::Read { path: bundle.clone(), source })?;
    Ok(SuiteCase { id: id.to_owned(), case, bundle, digest })
}

/// The digest of a file, which is read piece by piece: it may be of any size.
fn digest(path: &Path) -> io::Result<String> {
    let mut file = fs::File::open(path)?;
    let (mut hash, mut piece) = (Sha256::new(), vec![0; 64 * 1024]);
    loop {
        match file.read(&mut piece)? {
            0 => return Ok(hex(&hash.finalize())),
            length => hash.update(piece.get(..length).unwrap_or_default()),
        }
    }
}
