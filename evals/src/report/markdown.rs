//! The results as Markdown.

use super::results::Results;
use super::table::{compared, rows, with_people};

/// The figures as a table, then the cases, each with its reason where it did not pass.
pub fn markdown(results: &Results) -> String {
    let names = results.measured.iter().map(|one| cell(&one.investigator.name)).collect::<Vec<_>>();
    let mut text = format!(
        "# {} on {}\n\n{}, {:.0}\n\n",
        names.join(" and "),
        cell(&results.suite),
        cell(&results.program),
        results.at
    );
    text.push_str(&row("", &names));
    text.push_str(&row("---", &vec!["---:".to_owned(); names.len()]));
    for (name, values) in rows(results) {
        text.push_str(&row(name, &values));
    }
    if let Some(comparison) = &results.comparison {
        text.push_str(&format!("\n## Compared\n\n```\n{}```\n", compared(comparison)));
    }
    if let Some(people) = &results.people {
        text.push_str(&format!("\n## Agreement with people\n\n```\n{}```\n", with_people(people)));
    }
    for measured in &results.measured {
        text.push_str(&format!("\n## {}\n\n", cell(&measured.investigator.name)));
        text.push_str(
            "| case | | difficulty | hops | passed | answered | why not |\n|---|---|---|---:|---:|---|---|\n",
        );
        for case in &measured.cases {
            let first = case.trials.iter().find(|trial| !trial.passed()).or_else(|| case.trials.first());
            let (answer, why) = first.map(|trial| (trial.answer.clone(), trial.why())).unwrap_or_default();
            let passed = format!("{}/{}", case.count(super::TrialResult::passed), case.trials.len());
            let hops = case.hops.to_string();
            let cells = [case.title.as_str(), case.difficulty.as_str(), &hops, &passed, &answer, &why];
            text.push_str(&row(&case.id, &cells.map(cell)));
        }
    }
    text
}

fn row(first: &str, others: &[String]) -> String {
    format!("| {first} | {} |\n", others.join(" | "))
}

/// What ends no cell and begins no markup.
fn cell(text: &str) -> String {
    let mut cell = String::new();
    for letter in super::words::brief(text).chars() {
        match letter {
            '|' | '<' | '>' | '`' | '*' | '_' | '[' | ']' | '\\' => cell.extend(['\\', letter]),
            _ => cell.push(letter),
        }
    }
    cell
}
