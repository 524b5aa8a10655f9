//! The values of a variable whose change is told, as `containers[app].env[DB_PASSWORD].value: old -> new`.

use super::Source;

/// Words before a value that was not there before, or is not any more.
const BEFORE: [&str; 2] = ["set to ", "removed, was "];

/// Between the value before and the one after.
const ARROW: &str = " -> ";

/// Where the values stand of the variable whose name ends at `end`, in brackets; none where no change is told.
pub(super) fn values(source: &Source<'_>, start: usize, end: usize) -> Vec<(usize, usize)> {
    if source.before(start) != Some(b'[') || source.at(end) != Some(b']') {
        return Vec::new();
    }
    let mut at = end + 1;
    if source.rest(at).starts_with(".value") {
        at += ".value".len();
    }
    if !source.rest(at).starts_with(": ") {
        return Vec::new();
    }
    at += 2;
    at += BEFORE.iter().find(|word| source.rest(at).starts_with(**word)).map_or(0, |word| word.len());
    let told = source.slice(at, source.line_end(at));
    let told = told.get(..length(told)).unwrap_or(told);
    match told.split_once(ARROW) {
        Some((from, _)) => {
            let to = at + from.len() + ARROW.len();
            vec![(at, at + from.len()), (to, at + told.len())]
        }
        None => vec![(at, at + told.len())],
    }
}

/// How far a change reaches on its line: to where the next field is told, or the end.
fn length(told: &str) -> usize {
    let next = told.match_indices("; ").find(|(at, _)| {
        let rest = told.get(at + 2..).unwrap_or_default();
        let name = rest.find(|letter: char| !letter.is_ascii_alphanumeric() && !"[]._-/".contains(letter));
        name.is_some_and(|end| end > 0 && rest.get(end..).is_some_and(|rest| rest.starts_with(": ")))
    });
    next.map_or(told.len(), |(at, _)| at)
}
