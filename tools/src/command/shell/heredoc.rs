//! Here-documents.

use super::Refused;
use crate::command::mask::{BEGINS, ENDS, unmask};

/// A here-document that was announced by `<<`.
#[derive(Clone, Debug)]
pub(super) struct Heredoc {
    /// The line that ends it.
    pub(super) delimiter: String,
    /// Whether it is taken as it stands, because the delimiter was quoted.
    pub(super) literal: bool,
    /// Whether tabs before its lines are dropped (`<<-`).
    pub(super) tabs: bool,
}

/// A here-document's body and last line.
pub(super) struct Body<'a> {
    /// As it must stand in the script.
    pub(super) script: String,
    /// Whether an argument's letters that are no plain ones are in it.
    pub(super) masked: bool,
    /// What follows.
    pub(super) rest: &'a str,
}

impl Heredoc {
    /// Reads its body and last line from the text.
    pub(super) fn body<'a>(&self, mut text: &'a str) -> Result<Body<'a>, Refused> {
        let refused = |place| Err(Refused::Letters { place });
        let mut script = String::new();
        let mut masked = false;
        let mut expands = false;
        loop {
            if text.is_empty() {
                return Err(Refused::Unended { what: "a here-document" });
            }
            let (line, rest) = text.split_once('\n').unwrap_or((text, ""));
            text = rest;
            let bare: String = line.chars().filter(|letter| !matches!(*letter, BEGINS | ENDS)).collect();
            let last = if self.tabs { bare.trim_start_matches('\t') } else { bare.as_str() } == self.delimiter;
            if last {
                if bare.len() != line.len() {
                    return refused("as the last line of a here-document");
                }
                script += line;
                script.push('\n');
                break;
            }
            if !self.literal && line.match_indices(BEGINS).any(|(at, _)| joins(line.get(..at).unwrap_or_default())) {
                return refused("behind a dollar sign or backslash in a here-document");
            }
            expands |= ["`", "$(", "${"].iter().any(|expansion| bare.contains(expansion));
            for letter in bare.chars() {
                match unmask(letter) {
                    None => script.push(letter),
                    Some('\n') => return refused("in a here-document"),
                    Some(letter) => {
                        masked = true;
                        if !self.literal && matches!(letter, '$' | '`' | '\\') {
                            script.push('\\');
                        }
                        script.push(letter);
                    }
                }
            }
            script.push('\n');
        }
        if masked && expands && !self.literal {
            return refused("in a here-document with expansions");
        }
        Ok(Body { script, masked, rest: text })
    }
}

/// Whether a shell would read what follows together with the end of this text: as a variable's name, or as escaped.
fn joins(before: &str) -> bool {
    let bare = before.trim_end_matches([BEGINS, ENDS]);
    let name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    bare.ends_with('\\') || bare.trim_end_matches(name).ends_with('$')
}
