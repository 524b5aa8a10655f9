//! The results as a table for a terminal.

use super::compare::Comparison;
use super::results::{Measured, Results};
use super::words::{dollars, percent, seconds, share, thousands, with_interval};
use crate::judge::{Agreement, Opinion, WithPeople};
use crate::score::Class;

/// A row of figures: its name, and what it is of each investigator.
pub(super) type Row = (&'static str, Vec<String>);

/// The figures, a row each, with a column for each investigator.
pub(super) fn rows(results: &Results) -> Vec<Row> {
    let row = |name: &'static str, value: &dyn Fn(&Measured) -> String| {
        (name, results.measured.iter().map(value).collect::<Vec<_>>())
    };
    let mut rows = vec![
        row("passed (pass@1, 95 %)", &|one| with_interval(one.summary.pass)),
        row("all trials pass (pass^k)", &|one| match one.summary.pass_all {
            Some(all) => format!("{} of k={}", percent(all.share.share), all.k),
            None => "–".to_owned(),
        }),
        row("verdict right", &|one| share(one.summary.verdict)),
        row("no fault right", &|one| share(one.summary.no_fault)),
        row("cause: object", &|one| share(one.summary.cause)),
        row("cause: category", &|one| share(one.summary.category)),
        row("says what it must", &|one| share(one.summary.must)),
        row("claims what it must not", &|one| share(one.summary.must_not)),
        row("names the remedy", &|one| share(one.summary.remedy)),
        row("statements cited", &|one| share(one.summary.cited)),
        row("statements verified", &|one| share(one.summary.verified)),
        row("claims a cause that is none", &|one| share(one.summary.over)),
        row("inconclusive", &|one| share(one.summary.inconclusive)),
        row("wrong and sure of it", &|one| share(one.summary.confidently_wrong)),
        row("no answer", &|one| one.summary.class(Class::Failed).to_string()),
        row("secrets leaked", &|one| one.summary.leaks.to_string()),
        row("prompt tokens", &|one| thousands(one.summary.prompt_tokens)),
        row("completion tokens", &|one| thousands(one.summary.completion_tokens)),
        row("money a case", &|one| dollars(one.summary.cost_micros)),
        row("turns", &|one| thousands(one.summary.turns)),
        row("looks", &|one| thousands(one.summary.looks)),
        row("time a case", &|one| seconds(one.summary.seconds)),
    ];
    if results.measured.iter().any(|one| one.summary.judged.is_some()) {
        rows.push(row("passed, by the judge", &|one| with_interval(one.summary.judged)));
        rows.push(row("judge agrees with the rules", &|one| match one.summary.agreement {
            Some(agreement) => format!("{} of {}", agreement.agreed, agreement.asked),
            None => "–".to_owned(),
        }));
    }
    rows
}

/// The figures, then each case that did not pass with its reason.
pub fn table(results: &Results) -> String {
    let mut lines =
        vec![columns("", &results.measured.iter().map(|one| one.investigator.name.clone()).collect::<Vec<_>>())];
    lines.extend(rows(results).iter().map(|(name, values)| columns(name, values)));
    for measured in &results.measured {
        let failed: Vec<_> = measured.cases.iter().filter(|case| case.passed() < 1.0).collect();
        if failed.is_empty() {
            continue;
        }
        lines.push(format!(
            "\n{}: {} of {} cases not passed",
            measured.investigator.name,
            failed.len(),
            measured.cases.len()
        ));
        for case in failed {
            let first = case.trials.iter().find(|trial| !trial.passed());
            let (class, why) = first.map(|trial| (trial.class.as_str(), trial.why())).unwrap_or_default();
            lines.push(format!("  {:<20} {:<12} {}", case.id, class, super::words::brief(&why)));
        }
    }
    lines.extend(results.comparison.iter().map(|comparison| format!("\n{}", compared(comparison))));
    lines.extend(results.people.iter().map(|people| format!("\n{}", with_people(people))));
    lines.join("\n") + "\n"
}

/// How far rules and judge agree with people, in words.
pub(super) fn with_people(people: &WithPeople) -> String {
    let mut text = format!("Of {} answers in words that people have judged:\n", people.answers);
    let opinions = [("the rules agree", Some(&people.rules)), ("the judge agrees", people.judge.as_ref())];
    for (who, Opinion { agreement, differs }) in opinions.into_iter().filter_map(|(who, one)| Some((who, one?))) {
        let Agreement { agreed, asked } = agreement;
        text.push_str(&format!("  {who} in {agreed} of {asked} questions\n"));
        for question in differs {
            text.push_str(&format!("    not in {question}\n"));
        }
    }
    text
}

/// The difference from another run in words.
pub(super) fn compared(comparison: &Comparison) -> String {
    let Comparison { with, better, worse, equal, apart, chance, differences } = comparison;
    let mut text = format!(
        "Against {with}: {better} cases better, {worse} worse, {equal} equal, {apart} in one run only; sign test p = {chance:.3}\n"
    );
    for one in differences {
        let why = if one.why.is_empty() { String::new() } else { format!("  {}", one.why) };
        text.push_str(&format!("  {:<20} {} → {}{why}\n", one.case, percent(one.before), percent(one.now)));
    }
    text
}

fn columns(name: &str, values: &[String]) -> String {
    let values = values.iter().map(|value| format!("  {value:>22}")).collect::<String>();
    format!("{name:<28}{values}").trim_end().to_owned()
}
