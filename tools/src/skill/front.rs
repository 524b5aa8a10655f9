//! The front matter of a `SKILL.md`.

use serde::Deserialize;

/// What a skill says of itself; other keys are for other programs.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Front {
    /// Its name; absent, that of its folder.
    pub(super) name: Option<String>,
    /// What it is for.
    pub(super) description: String,
}

/// The front matter, and the text behind it.
pub(super) fn split(text: &str) -> Result<(Front, &str), String> {
    let text = text.trim_start_matches('\u{feff}');
    let missing = || "has no front matter: begin with `---`, `description: …`, `---`".to_owned();
    let after = text.strip_prefix("---").and_then(|rest| rest.split_once('\n')).ok_or_else(missing)?;
    if !after.0.trim().is_empty() {
        return Err(missing());
    }
    let rest = after.1;
    let mut offset = 0;
    for line in rest.split_inclusive('\n') {
        if line.trim_end() == "---" {
            let (matter, body) = rest.split_at(offset);
            let front = serde_saphyr::from_str(matter).map_err(|error| format!("its front matter: {error}"))?;
            return Ok((front, body.get(line.len()..).unwrap_or_default().trim_start_matches(['\r', '\n'])));
        }
        offset += line.len();
    }
    Err("its front matter has no end: a line with `---`".to_owned())
}
