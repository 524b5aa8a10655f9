//! Finds the skills of folders.

use std::path::{Path, PathBuf};

use super::{DESCRIPTION, Skill, catalog, front, one_line};

/// How deep folders are looked into: `folder/team/skill/SKILL.md`.
const DEPTH: u32 = 2;

/// Folders that are looked into: a wrong path must not mean the whole disk.
const FOLDERS: usize = 2_000;

/// The largest skill, in bytes.
pub(super) const LARGEST: u64 = 256 * 1024;

/// Characters of a name.
const NAME: usize = 64;

/// The skills of these folders in the order of folders and paths, and what was left out and why.
pub(super) fn index(folders: &[PathBuf]) -> (Vec<Skill>, Vec<String>) {
    let mut found = Found::default();
    for folder in folders {
        match std::fs::canonicalize(folder) {
            Ok(root) => {
                found.catalog(&root);
                found.folder(&root, &root, DEPTH);
            }
            Err(error) => found.left_out(folder, &error.to_string()),
        }
    }
    (found.skills, found.notes)
}

#[derive(Default)]
struct Found {
    skills: Vec<Skill>,
    notes: Vec<String>,
    folders: usize,
}

impl Found {
    fn left_out(&mut self, path: &Path, why: &str) {
        self.notes.push(format!("{} is left out: {why}", path.display()));
    }

    fn take(&mut self, skill: Skill) {
        if self.skills.iter().any(|known| known.name == skill.name) {
            self.left_out(&skill.file, &format!("another skill is named {:?}", skill.name));
        } else {
            self.skills.push(skill);
        }
    }

    fn folder(&mut self, root: &Path, folder: &Path, deeper: u32) {
        self.folders += 1;
        if self.folders > FOLDERS {
            if self.folders == FOLDERS + 1 {
                self.left_out(folder, &format!("and what follows: at most {FOLDERS} folders are looked into"));
            }
            return;
        }
        let file = folder.join("SKILL.md");
        if file.exists() {
            match skill(root, &file) {
                Ok(skill) => self.take(skill),
                Err(why) => self.left_out(&file, &why),
            }
        }
        if deeper == 0 {
            return;
        }
        let entries = match std::fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) => return self.left_out(folder, &error.to_string()),
        };
        // Names with a dot in front are how volumes keep their versions: the same files again.
        let hidden = |path: &PathBuf| path.file_name().is_none_or(|name| name.to_string_lossy().starts_with('.'));
        let mut inner: Vec<PathBuf> = entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
        inner.retain(|path| path.is_dir() && !hidden(path));
        inner.sort();
        for path in inner {
            match within(root, &path) {
                Ok(_) => self.folder(root, &path, deeper - 1),
                Err(why) => self.left_out(&path, &why),
            }
        }
    }

    fn catalog(&mut self, root: &Path) {
        let file = root.join("catalog.json");
        if !file.exists() {
            return;
        }
        let entries =
            within(root, &file).and_then(|file| text(&file, catalog::LARGEST)).and_then(|text| catalog::entries(&text));
        match entries {
            Err(why) => self.left_out(&file, &why),
            Ok(entries) => {
                for entry in entries {
                    let path = root.join(&entry.link);
                    match within(root, &path) {
                        Ok(file) => self.take(Skill {
                            name: one_line(&entry.id, NAME),
                            description: one_line(&entry.description, DESCRIPTION),
                            file,
                        }),
                        Err(why) => self.left_out(&path, &why),
                    }
                }
            }
        }
    }
}

fn skill(root: &Path, path: &Path) -> Result<Skill, String> {
    let file = within(root, path)?;
    let text = text(&file, LARGEST)?;
    let (front, _) = front::split(&text)?;
    let folder = path.parent().and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
    let name = one_line(&front.name.or(folder).unwrap_or_default(), NAME);
    let description = one_line(&front.description, DESCRIPTION);
    if name.is_empty() || description.is_empty() {
        return Err("has no name or no description".to_owned());
    }
    Ok(Skill { name, description, file })
}

/// Where the path leads, which must be in the folder: no link and no `..` leads out of it.
fn within(root: &Path, path: &Path) -> Result<PathBuf, String> {
    let led = std::fs::canonicalize(path).map_err(|error| error.to_string())?;
    if led.starts_with(root) { Ok(led) } else { Err("it leads out of the folder".to_owned()) }
}

/// The text of a file that isn't too large.
pub(super) fn text(file: &Path, largest: u64) -> Result<String, String> {
    let data = std::fs::metadata(file).map_err(|error| error.to_string())?;
    if !data.is_file() {
        return Err("is no file".to_owned());
    }
    if data.len() > largest {
        return Err(format!("has {} bytes; {largest} are allowed", data.len()));
    }
    std::fs::read_to_string(file).map_err(|error| error.to_string())
}
