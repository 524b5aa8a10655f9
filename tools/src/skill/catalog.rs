//! The older form: a `catalog.json` that lists files.

use serde::Deserialize;

/// The largest catalog that is read, in bytes.
pub(super) const LARGEST: u64 = 1024 * 1024;

#[derive(Debug, Deserialize)]
struct Catalog {
    catalog: Vec<Entry>,
}

/// One file of a catalog.
#[derive(Debug, Deserialize)]
pub(super) struct Entry {
    pub(super) id: String,
    pub(super) description: String,
    /// The file, from the catalog's folder.
    pub(super) link: String,
}

/// The entries of a catalog.
pub(super) fn entries(text: &str) -> Result<Vec<Entry>, String> {
    serde_json::from_str::<Catalog>(text).map(|catalog| catalog.catalog).map_err(|error| error.to_string())
}
