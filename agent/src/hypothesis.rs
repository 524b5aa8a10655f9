//! What the model weighs: a short list of explanations with the evidence for and against each.

use marple_core::{Conclusion, EvidenceId, Unseen};
use marple_tools::arguments;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::ToolOffer;

/// The tool's name.
pub(crate) const HYPOTHESES: &str = "hypotheses";
/// More are not kept: a list that long weighs nothing.
const MOST: usize = 8;
/// So much of a statement is kept, in characters.
const OF_STATEMENT: usize = 300;

/// How an explanation stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Nothing decides it yet.
    #[default]
    Open,
    /// More speaks for it than for any other.
    Likely,
    /// Something that was seen excludes it.
    Refuted,
}

/// An explanation that the model weighs.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Hypothesis {
    /// What would be the cause, in a sentence.
    pub statement: String,
    /// How it stands.
    #[serde(default)]
    pub standing: Standing,
    /// Evidence that speaks for it.
    #[serde(default, rename = "for")]
    pub supporting: Vec<EvidenceId>,
    /// Evidence that speaks against it.
    #[serde(default)]
    pub against: Vec<EvidenceId>,
}

/// The tool as it is offered.
pub(crate) fn offer() -> ToolOffer {
    let ids = json!({"type": "array", "items": {"type": "string", "description": "as e12"}});
    ToolOffer {
        name: HYPOTHESES.to_owned(),
        description: "Keeps your list of possible causes; each call replaces it.".to_owned(),
        parameters: json!({"type": "object", "properties": {"hypotheses": {"type": "array", "items": {
            "type": "object",
            "properties": {
                "statement": {"type": "string"},
                "standing": {"type": "string", "enum": ["open", "likely", "refuted"]},
                "for": ids,
                "against": ids
            },
            "required": ["statement", "standing"]
        }}}, "required": ["hypotheses"]}),
    }
}

/// Reads the arguments of the tool. The error says what to mend.
pub(crate) fn read(arguments: Map<String, Value>) -> Result<Vec<Hypothesis>, String> {
    #[derive(Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    struct Arguments {
        hypotheses: Vec<Written>,
    }
    /// As models write it: words may stand beside an id.
    #[derive(Deserialize, JsonSchema)]
    struct Written {
        statement: String,
        #[serde(default)]
        standing: Standing,
        #[serde(default, rename = "for")]
        supporting: Vec<String>,
        #[serde(default)]
        against: Vec<String>,
    }
    let Arguments { hypotheses } =
        arguments::parse(HYPOTHESES, Value::Object(arguments)).map_err(|error| error.to_string())?;
    let read = |Written { statement, standing, supporting, against }: Written| Hypothesis {
        statement: statement.chars().take(OF_STATEMENT).collect(),
        standing,
        supporting: supporting.iter().flat_map(|text| EvidenceId::named_in(text)).collect(),
        against: against.iter().flat_map(|text| EvidenceId::named_in(text)).collect(),
    };
    Ok(hypotheses.into_iter().take(MOST).map(read).collect())
}

/// Tells of those that nothing decided, where the model came to no conclusion.
pub(crate) fn leave_open(hypotheses: &[Hypothesis], conclusion: &mut Conclusion) {
    for hypothesis in hypotheses.iter().filter(|hypothesis| hypothesis.standing != Standing::Refuted) {
        let ids = |ids: &[EvidenceId]| ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let mut why = "the language model weighed it and came to no end".to_owned();
        for (side, evidence) in [("for", &hypothesis.supporting), ("against", &hypothesis.against)] {
            if !evidence.is_empty() {
                why.push_str(&format!("; {side} it: {}", ids(evidence)));
            }
        }
        let statement = hypothesis.statement.trim().trim_end_matches('.');
        conclusion.add_unseen(&Unseen { what: format!("whether this is so: {statement}"), why });
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn arguments(value: &Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn it_costs_at_most_125_tokens() {
        let cost = crate::context::Vocabulary::default().offers(&[offer()]);
        assert!(cost <= 125, "{cost}");
    }

    #[test]
    fn what_is_written_is_read_and_bounded() {
        let one = json!({"statement": "x".repeat(1_000), "standing": "likely", "for": ["e3 says: no such host", "[e4]"], "against": ["nothing"]});
        let read = read(arguments(&json!({"hypotheses": vec![one; 20]}))).unwrap();
        assert_eq!(read.len(), MOST);
        let first = read.first().unwrap();
        assert_eq!((first.statement.len(), first.standing), (OF_STATEMENT, Standing::Likely));
        assert_eq!((&first.supporting[..], &first.against[..]), (&[EvidenceId(3), EvidenceId(4)][..], &[][..]));
    }

    #[test]
    fn what_cannot_be_read_is_told() {
        let error = read(arguments(&json!({"list": []}))).unwrap_err();
        assert!(error.contains("hypotheses"), "{error}");
    }

    #[test]
    fn only_what_is_not_refuted_is_left_open() {
        let one = |statement: &str, standing| Hypothesis {
            statement: statement.to_owned(),
            standing,
            supporting: vec![EvidenceId(3)],
            against: Vec::new(),
        };
        let mut conclusion = Conclusion::inconclusive("Nothing explains it.");
        leave_open(&[one("The node is full.", Standing::Open), one("It is DNS.", Standing::Refuted)], &mut conclusion);
        let told: Vec<_> = conclusion.unseen.iter().map(|unseen| (unseen.what.as_str(), unseen.why.as_str())).collect();
        assert_eq!(
            told,
            [("whether this is so: The node is full", "the language model weighed it and came to no end; for it: e3")]
        );
    }
}
