//! Skills: run-books that people wrote, of which the model reads the one that fits.

mod catalog;
mod front;
mod index;
mod tool;

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;

use crate::Tool;
use crate::toolset::{Off, Offer, Probe, Toolset};
use index::index;
use tool::Read;

/// Skills that are told of; the names and descriptions are paid for at every call.
const MOST: usize = 100;

/// Characters of a description.
const DESCRIPTION: usize = 240;

/// A skill that can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Skill {
    name: String,
    description: String,
    /// Its file, within its folder whatever links there are.
    file: PathBuf,
}

/// The skills in these folders. They are looked for again at each probe.
pub fn toolset(folders: &[PathBuf]) -> Toolset {
    Toolset::new("skills", "Run-books of your own.", Folders(folders.to_vec()))
}

struct Folders(Vec<PathBuf>);

#[async_trait]
impl Probe for Folders {
    async fn probe(&self) -> Result<Offer, Off> {
        let folders = self.0.clone();
        let found = tokio::task::spawn_blocking(move || index(&folders));
        let (mut skills, mut notes) = found.await.map_err(|error| Off(error.to_string()))?;
        if skills.is_empty() {
            let folders = self.0.iter().map(|folder| folder.display().to_string()).collect::<Vec<_>>().join(", ");
            let why = std::iter::once(format!("no skill in {folders}")).chain(notes).collect::<Vec<_>>().join("; ");
            return Err(Off(why));
        }
        if skills.len() > MOST {
            notes.push(format!("{} skills are left out: at most {MOST} are told of", skills.len() - MOST));
            skills.truncate(MOST);
        }
        let tool: Arc<dyn Tool> = Arc::new(Read::new(skills.clone()));
        Ok(Offer { tools: vec![tool], instructions: Some(instructions(&skills)), notes })
    }
}

/// What the model is told: which there are, and what they are worth.
fn instructions(skills: &[Skill]) -> String {
    let line = |skill: &Skill| format!("- {}: {}\n", skill.name, skill.description);
    format!(
        "People who run this cluster wrote these run-books. Where one fits, read it by `skill` first and look as it says; \
         what it would change is a proposal for people.\n{}",
        skills.iter().map(line).collect::<String>()
    )
}

/// One line, cut where it is long.
fn one_line(text: &str, most: usize) -> String {
    let line = crate::view::plain(text).split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(most) {
        None => line,
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests;
