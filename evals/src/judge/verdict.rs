//! From a judge's words to a judgement.

use super::Judgement;
use crate::case::Case;

/// Reads the JSON object of an answer: models like to put words or a fence around it.
pub(super) fn read(answer: &str, case: &Case) -> Result<Judgement, String> {
    let object = answer.find('{').zip(answer.rfind('}')).and_then(|(from, to)| answer.get(from..=to));
    let object = object.ok_or_else(|| "it has no JSON object".to_owned())?;
    let judgement: Judgement = serde_json::from_str(object).map_err(|error| error.to_string())?;
    judgement.fits(case)?;
    Ok(judgement)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use marple_core::Verdict;

    use super::*;

    fn case() -> Case {
        let text =
            "title: t\nask: {question: why}\nverdict: no_fault\ndifficulty: easy\nmust: [{means: m, any: [x]}]\n";
        Case::from_yaml(text, Path::new("case.yaml")).unwrap()
    }

    #[test]
    fn the_object_is_found_between_words() {
        let answer = "Here it is:\n```json\n{\"verdict\": \"no_fault\", \"must\": [true]}\n```";
        let judgement = read(answer, &case()).unwrap();
        assert_eq!((judgement.verdict, judgement.must), (Verdict::NoFault, vec![true]));
    }

    #[test]
    fn what_leaves_a_question_out_is_no_judgement() {
        assert_eq!(read("{\"verdict\": \"no_fault\"}", &case()).unwrap_err(), "`must` has 0 answers to 1 questions");
        assert!(read("I think so.", &case()).is_err());
    }
}
