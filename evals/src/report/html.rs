//! The results as one page for a browser: made whole here, without a script, every text escaped.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::chart;
use super::results::{CaseResult, Measured, Results, TrialResult};
use super::table::{compared, rows, with_people};
use super::words::{brief, seconds};
use crate::investigator::{Answer, Entry, Speaker};
use crate::trial::Trial;

const STYLE: &str = include_str!("page.css");

/// The page may show itself in its own style, and load nothing: what a model wrote stands in it.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/// Characters of one entry of a transcript that are shown; the whole is in the trial's file.
const SHOWN: usize = 12_000;

/// The page.
pub fn html(results: &Results, trials: &[Trial]) -> String {
    let title = format!("marple eval: {}", results.suite);
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { (title) }
                p.facts { (results.program) ", " (format!("{:.0}", results.at)) }
                (chart::passed(results))
                (chart::classes(results))
                @if let Some(first) = results.measured.first() { (chart::by_difficulty(first)) }
                (figures(results))
                @if let Some(people) = &results.people {
                    h2 { "Agreement with people" }
                    pre { (with_people(people)) }
                }
                @if let Some(comparison) = &results.comparison {
                    h2 { "Compared" }
                    pre { (compared(comparison)) }
                }
                @for measured in &results.measured { (investigator(measured, trials)) }
            }
        }
    }
    .into_string()
}

fn figures(results: &Results) -> Markup {
    html! {
        h2 { "Figures" }
        table {
            thead { tr { th {} @for measured in &results.measured { th.figure { (measured.investigator.name) } } } }
            tbody {
                @for (name, values) in rows(results) {
                    tr { th scope="row" { (name) } @for value in values { td.figure { (value) } } }
                }
            }
        }
    }
}

fn investigator(measured: &Measured, trials: &[Trial]) -> Markup {
    html! {
        h2 { (measured.investigator.name) }
        @for case in &measured.cases { (self::case(measured, case, trials)) }
    }
}

fn case(measured: &Measured, case: &CaseResult, trials: &[Trial]) -> Markup {
    let of = |number: u32| {
        trials.iter().find(|trial| {
            trial.case == case.id && trial.number == number && trial.investigator == measured.investigator.name
        })
    };
    html! {
        section {
            h3 {
                @for trial in &case.trials { span.dot.(trial.class.as_str()) title=(trial.class.as_str()) {} }
                (case.id) " " small { (case.title) ", " (case.difficulty.as_str()) ", " (case.hops) " hops" }
            }
            @for result in &case.trials {
                details {
                    summary { (result.class.as_str()) " in " (seconds(Some(result.seconds))) ": " (brief(&result.answer)) }
                    (trial(result, of(result.number)))
                }
            }
        }
    }
}

fn trial(result: &TrialResult, trial: Option<&Trial>) -> Markup {
    let answer = trial.and_then(Trial::attempt).map(|attempt| match &attempt.answer {
        Answer::Prose(text) => text.clone(),
        Answer::Conclusion(conclusion) => serde_json::to_string_pretty(conclusion).unwrap_or_default(),
    });
    html! {
        @if !result.why().is_empty() { p.why { (result.why()) } }
        @if let Some(note) = &result.note { p.facts { (note) } }
        @if let Some(answer) = answer { h4 { "Answer" } pre { (bounded(&answer)) } }
        @for entry in trial.map(Trial::transcript).unwrap_or_default() { (said(entry)) }
        p.facts { "Whole: " code { (result.file) } }
    }
}

fn said(entry: &Entry) -> Markup {
    let who = match entry.by {
        Speaker::Marple => "marple",
        Speaker::Model => "model",
        Speaker::Tool => "look",
        Speaker::Program => "program",
    };
    html! {
        h4 { (who) @if !entry.title.is_empty() { " " code { (brief(&entry.title)) } } }
        pre { (bounded(&entry.text)) }
    }
}

fn bounded(text: &str) -> String {
    let more = text.chars().count().saturating_sub(SHOWN);
    if more == 0 {
        return text.to_owned();
    }
    format!("{}\n… {more} more characters", text.chars().take(SHOWN).collect::<String>())
}
