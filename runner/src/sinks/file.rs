//! A file of JSON lines.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Attempt, Payload, ReceiptProgress, Sink, SinkError};
use crate::render::View;

/// How far back a line is looked for that may already have been written, in bytes.
const TAIL: u64 = 8 << 20;

/// A file of JSON lines: one for each revision of an incident, in the format of the webhook.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileConfig {
    /// The file. It is made where it is missing (its folder is not), readable by its owner alone.
    pub path: PathBuf,
}

impl FileConfig {
    pub(super) fn fault(&self) -> Option<(&'static str, String)> {
        self.path.file_name().is_none().then(|| ("file.path", format!("{} names no file", self.path.display())))
    }
}

/// Appends a line and has it written to disk before it confirms.
#[derive(Debug)]
pub struct FileSink {
    path: PathBuf,
    /// One writer at a time: a line is looked for and appended as one act.
    writer: Arc<Mutex<()>>,
}

impl FileSink {
    /// A sink of these settings.
    pub fn new(config: &FileConfig) -> Self {
        Self { path: config.path.clone(), writer: Arc::default() }
    }
}

#[async_trait]
impl Sink for FileSink {
    fn kind(&self) -> &'static str {
        "file"
    }

    async fn deliver(
        &self,
        view: &View,
        _receipt: Option<&Value>,
        attempt: &Attempt,
        _progress: &dyn ReceiptProgress,
    ) -> Result<Value, SinkError> {
        let line = Payload::json(view, &attempt.key)?;
        let may_be_there = attempt.maybe_sent || attempt.number > 1;
        let (path, writer, key) = (self.path.clone(), Arc::clone(&self.writer), attempt.key.clone());
        let written = tokio::task::spawn_blocking(move || {
            // The lock guards no data that a panic could leave half changed.
            let _writer = writer.lock().unwrap_or_else(PoisonError::into_inner);
            append(&path, &line, may_be_there.then_some(key.as_str()))
        });
        let failed = match written.await {
            Ok(Ok(())) => return Ok(json!({ "key": attempt.key })),
            Ok(Err(error)) => error,
            Err(error) => io::Error::other(error),
        };
        let reason = format!("{}: {failed}", self.path.display());
        Err(match failed.kind() {
            io::ErrorKind::PermissionDenied | io::ErrorKind::NotFound | io::ErrorKind::IsADirectory => {
                SinkError::Settings {
                    reason,
                    fix: "the path must be a file that marple may write, in a folder that is there".to_owned(),
                }
            }
            _ => SinkError::unanswered(reason),
        })
    }
}

/// Appends a line, unless the file's tail has one of this key. A half line, left by a crash, is taken off first: it was
/// never confirmed.
fn append(path: &Path, line: &str, key: Option<&str>) -> io::Result<()> {
    let (mut file, made) = open(path)?;
    let length = file.seek(SeekFrom::End(0))?;
    let start = length.saturating_sub(TAIL);
    let mut last = [0_u8; 1];
    let torn = length > 0 && {
        file.seek(SeekFrom::Start(length - 1))?;
        file.read_exact(&mut last)?;
        last != *b"\n"
    };
    if torn || key.is_some() {
        file.seek(SeekFrom::Start(start))?;
        let mut tail = Vec::new();
        (&mut file).take(TAIL).read_to_end(&mut tail)?;
        let whole = tail.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        if torn {
            file.set_len(start + u64::try_from(whole).unwrap_or(0))?;
        }
        let has = |line: &[u8], key: &str| serde_json::from_slice::<Keyed>(line).is_ok_and(|line| line.key == key);
        let whole = tail.get(..whole).unwrap_or_default();
        if key.is_some_and(|key| whole.split(|byte| *byte == b'\n').any(|line| has(line, key))) {
            // It may have been written by a process that died before it reached the disk.
            return file.sync_all();
        }
    }
    file.seek(SeekFrom::End(0))?;
    file.write_all(format!("{line}\n").as_bytes())?;
    file.sync_all()?;
    if made {
        // The file's name is on disk only once its folder is.
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

#[derive(Deserialize)]
struct Keyed {
    key: String,
}

fn open(path: &Path) -> io::Result<(File, bool)> {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    match options.open(path) {
        Ok(file) => Ok((file, false)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            use std::os::unix::fs::OpenOptionsExt;
            Ok((options.create_new(true).mode(0o600).open(path)?, true))
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_line_that_is_there_is_not_written_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("incidents.jsonl");
        append(&path, r#"{"key":"a"}"#, None).unwrap();
        append(&path, r#"{"key":"b"}"#, Some("b")).unwrap();
        append(&path, r#"{"key":"b"}"#, Some("b")).unwrap();
        append(&path, r#"{"key":"a"}"#, Some("a")).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "{\"key\":\"a\"}\n{\"key\":\"b\"}\n");
    }

    #[test]
    fn a_half_line_of_a_crash_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("incidents.jsonl");
        std::fs::write(&path, "{\"key\":\"a\"}\n{\"key\":\"b\",\"clu").unwrap();
        append(&path, r#"{"key":"b"}"#, Some("b")).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "{\"key\":\"a\"}\n{\"key\":\"b\"}\n");
    }

    #[test]
    fn the_file_is_its_owners_alone() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("incidents.jsonl");
        append(&path, "{}", None).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
