//! The calls in an answer's words.

use serde_json::Value;

use super::super::super::{ToolOffer, WrittenCall};
use super::{object, tagged};

/// How far words are taken for calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Understood {
    /// Calls are made by words: what stands between marks is meant as one, whatever its name.
    Always,
    /// Calls have fields of their own, and this is what a server left in the words: it names a tool that there is.
    Leftover,
}

/// What models are taught to begin a result with; some go on to invent one.
const RESULT: &str = "<tool_response";

/// The calls in an answer's words, with the words before them. Nothing where there are none: JSON that is quoted for
/// another reason names no tool, or has other fields.
pub(crate) fn read(content: &str, offers: &[ToolOffer], understood: Understood) -> Option<(String, Vec<WrittenCall>)> {
    let content = content.split_once(RESULT).map_or(content, |(before, _)| before);
    let offered = |call: &WrittenCall| {
        let name = call.name.rsplit(['.', ':', '/']).next().unwrap_or_default();
        offers.iter().any(|offer| offer.name == call.name || offer.name == name)
    };
    if let Some((place, calls)) = tagged::calls(content, offers) {
        let meant = understood == Understood::Always || calls.iter().all(offered);
        return meant.then(|| (before(content, place), calls));
    }
    let (place, calls) = fenced(content).or_else(|| bare(content))?;
    calls.iter().all(offered).then(|| (before(content, place), calls))
}

fn before(content: &str, place: usize) -> String {
    content.get(..place).unwrap_or_default().trim().to_owned()
}

/// Calls in blocks of code, each of which holds nothing else; and where the first begins.
fn fenced(content: &str) -> Option<(usize, Vec<WrittenCall>)> {
    let first = content.find("```")?;
    let mut calls = Vec::new();
    // Of the parts between fences every second is inside.
    let inside = content.split("```").skip(1).step_by(2);
    for block in inside {
        let (language, body) = block.split_once('\n').unwrap_or(("", block));
        let body = if language.trim().chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_') {
            body
        } else {
            block
        };
        calls.extend(values(body)?);
    }
    (!calls.is_empty()).then_some((first, calls))
}

/// Calls that end the answer, beginning on a line of their own.
fn bare(content: &str) -> Option<(usize, Vec<WrittenCall>)> {
    let mut at = 0;
    for line in content.split_inclusive('\n') {
        if line.trim_start().starts_with(['{', '[']) {
            let calls = values(content.get(at..)?)?;
            return Some((at, calls));
        }
        at += line.len();
    }
    None
}

/// The calls that a text of JSON values is, and nothing else.
fn values(text: &str) -> Option<Vec<WrittenCall>> {
    let mut calls = Vec::new();
    for value in serde_json::Deserializer::from_str(text).into_iter::<Value>() {
        calls.extend(object::calls(&value.ok()?)?);
    }
    (!calls.is_empty()).then_some(calls)
}

#[cfg(test)]
mod tests;
