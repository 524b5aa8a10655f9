//! A bundle as a file: lines of JSON, compressed.

mod line;
mod read;
mod write;

use std::path::PathBuf;

pub use line::schema;
pub(super) use read::decode;
pub(super) use write::encode;

/// The version of the format that is written.
pub const VERSION: u32 = 4;

/// The oldest that is read: what has come since was added to it.
const OLDEST: u32 = 2;

/// The largest bundle before compression, in bytes: what a laptop can hold, and a bound for what an unknown file can do.
pub const SIZE_LIMIT: u64 = 512 * 1024 * 1024;

/// The longest line, in bytes: it is held whole.
const LINE_LIMIT: u64 = 64 * 1024 * 1024;

/// A bundle could not be read or written. Trying again helps only for `Read` and `Write`.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// The file could not be read.
    #[error("bundle {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file could not be written.
    #[error("write bundle {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file can't be used.
    #[error("{}: {source}", path.display())]
    Of {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Box<BundleError>,
    },
    /// The bytes are something else.
    #[error("this is no bundle: {0}")]
    Foreign(String),
    /// It was written in another version of the format.
    #[error(
        "the bundle has format version {found}, and this program reads versions {OLDEST} to {VERSION}: use the program that recorded it, or record it again"
    )]
    Version {
        /// The version that it says.
        found: u64,
    },
    /// A line of it can't be used.
    #[error("line {line} of the bundle: {source}")]
    Line {
        /// Which, from 1.
        line: usize,
        /// Why.
        source: serde_json::Error,
    },
    /// It is cut short, or its lines contradict each other.
    #[error("line {line} of the bundle: {fault}")]
    Order {
        /// Which, from 1.
        line: usize,
        /// What is wrong.
        fault: String,
    },
    /// It is larger than [`SIZE_LIMIT`], or has a line that is longer than 64 MiB.
    #[error(
        "the bundle is larger than {} MiB before compression, or has a line longer than {} MiB: record fewer namespaces or \
         a shorter time",
        SIZE_LIMIT / 1024 / 1024, LINE_LIMIT / 1024 / 1024
    )]
    TooLarge,
    /// It has more lines or values than any recording, which would fill the memory.
    #[error(
        "the bundle has more values up to line {line} than a recording may have: record fewer namespaces or a shorter time"
    )]
    TooMuch {
        /// Where it was noticed, from 1.
        line: usize,
    },
    /// A part of it has no form in JSON.
    #[error("encode the bundle: {0}")]
    Encode(#[source] serde_json::Error),
    /// The compression failed.
    #[error("compress the bundle: {0}")]
    Compress(#[source] std::io::Error),
}
