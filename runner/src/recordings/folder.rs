//! The folder of bundles: one a file, bounded.

use std::fs::DirEntry;
use std::io;
use std::path::{Path, PathBuf};

use marple_core::IncidentId;

/// What the files' names end with.
const EXTENSION: &str = "bundle";

/// The bundles that there are.
#[derive(Clone, Debug)]
pub(super) struct Folder(PathBuf);

impl Folder {
    /// Makes the folder where it is missing, for its owner alone: bundles have names and logs of the cluster.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(path)?;
        Ok(Self(path.to_owned()))
    }

    /// The file of an incident.
    pub(super) fn file(&self, incident: IncidentId) -> PathBuf {
        self.0.join(format!("{incident}.{EXTENSION}"))
    }

    /// Deletes the oldest bundles beyond so many, and beyond so many bytes of all; gives how many. The last stays.
    pub(super) fn prune(&self, keep: usize, most: u64) -> io::Result<usize> {
        let mut bundles: Vec<(PathBuf, u64)> = Vec::new();
        for entry in std::fs::read_dir(&self.0)? {
            bundles.extend(bundle(&entry?)?);
        }
        // The names begin with the time at which the incidents opened.
        bundles.sort();
        let (mut count, mut bytes) = (bundles.len(), bundles.iter().map(|(_, size)| size).sum::<u64>());
        let mut gone = 0;
        for (path, size) in bundles {
            if count <= 1 || (count <= keep && bytes <= most) {
                break;
            }
            std::fs::remove_file(&path)?;
            (count, bytes, gone) = (count - 1, bytes - size, gone + 1);
        }
        Ok(gone)
    }
}

/// A bundle of this program and its size; other files in the folder are left alone.
fn bundle(entry: &DirEntry) -> io::Result<Option<(PathBuf, u64)>> {
    let path = entry.path();
    let is_ours = path.extension().is_some_and(|extension| extension == EXTENSION)
        && path.file_stem().and_then(|stem| stem.to_str()).is_some_and(|stem| stem.parse::<IncidentId>().is_ok());
    let size = if is_ours { Some(entry.metadata()?.len()) } else { None };
    Ok(size.map(|size| (path, size)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_go_beyond_the_bounds_and_other_files_stay() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::open(&place.path().join("new/one")).unwrap();
        let ids: Vec<IncidentId> = (0..4).map(|_| IncidentId::new()).collect();
        for id in &ids {
            std::fs::write(folder.file(*id), [0; 10]).unwrap();
        }
        std::fs::write(place.path().join("new/one/notes.bundle"), [0; 90]).unwrap();
        assert_eq!(folder.prune(4, 40).unwrap(), 0);
        assert_eq!(folder.prune(3, 40).unwrap(), 1);
        assert_eq!(folder.prune(3, 15).unwrap(), 2);
        assert_eq!(folder.prune(1, 1).unwrap(), 0, "the last stays");
        let there: Vec<bool> = ids.iter().map(|id| folder.file(*id).exists()).collect();
        assert_eq!(there, [false, false, false, true]);
        assert!(place.path().join("new/one/notes.bundle").exists());
    }
}
