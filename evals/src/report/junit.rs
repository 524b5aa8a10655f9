//! The results as `JUnit` XML, which CI systems show.

use super::results::{Results, TrialResult};
use crate::score::Class;

/// A suite for each investigator, a test for each trial: one that did not pass is a failure, one without an answer an error.
pub fn junit(results: &Results) -> String {
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
    for measured in &results.measured {
        let trials = || measured.cases.iter().flat_map(|case| &case.trials);
        let count = |such: &dyn Fn(&TrialResult) -> bool| trials().filter(|trial| such(trial)).count();
        let errors = count(&|trial| trial.class == Class::Failed);
        let failures = count(&|trial| !trial.passed()) - errors;
        let time: f64 = trials().map(|trial| trial.seconds).sum();
        let name = escaped(&measured.investigator.name);
        text.push_str(&format!(
            "  <testsuite name=\"{name}\" tests=\"{}\" failures=\"{failures}\" errors=\"{errors}\" time=\"{time:.3}\">\n",
            count(&|_| true)
        ));
        for case in &measured.cases {
            for trial in &case.trials {
                let id = if case.trials.len() > 1 { format!("{}#{}", case.id, trial.number) } else { case.id.clone() };
                text.push_str(&format!(
                    "    <testcase classname=\"{name}\" name=\"{}\" time=\"{:.3}\"",
                    escaped(&id),
                    trial.seconds
                ));
                match trial.class {
                    Class::Passed => text.push_str("/>\n"),
                    class => {
                        let element = if class == Class::Failed { "error" } else { "failure" };
                        text.push_str(&format!(
                            ">\n      <{element} type=\"{}\" message=\"{}\">{}</{element}>\n    </testcase>\n",
                            class.as_str(),
                            escaped(&trial.why()),
                            escaped(&trial.answer)
                        ));
                    }
                }
            }
        }
        text.push_str("  </testsuite>\n");
    }
    text + "</testsuites>\n"
}

/// What stands in XML as itself; characters that XML 1.0 can't have are left out.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' | '\t' => escaped.push(' '),
            letter if letter.is_control() || matches!(letter, '\u{fffe}' | '\u{ffff}') => {}
            letter => escaped.push(letter),
        }
    }
    escaped
}
