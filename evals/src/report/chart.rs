//! Charts as SVG, drawn here whole.

use maud::{Markup, html};

use super::results::{Measured, Results};
use super::words::percent;
use crate::case::Difficulty;
use crate::score::{Class, Share};

/// Sizes, in pixels.
const NAME: f64 = 190.0;
const WIDTH: f64 = 420.0;
const BAR: f64 = 26.0;

/// The share that passed of each investigator, with its interval.
pub(super) fn passed(results: &Results) -> Markup {
    let bars: Vec<(String, Option<Share>)> =
        results.measured.iter().map(|one| (one.investigator.name.clone(), one.summary.pass)).collect();
    shares("Passed, with 95 % intervals", &bars)
}

/// The share that passed by difficulty.
pub(super) fn by_difficulty(measured: &Measured) -> Markup {
    let bars: Vec<(String, Option<Share>)> = [Difficulty::Easy, Difficulty::Medium, Difficulty::Hard]
        .into_iter()
        .map(|difficulty| {
            let cases = measured.cases.iter().filter(|case| case.difficulty == difficulty && !case.trials.is_empty());
            (difficulty.as_str().to_owned(), Share::of(cases.map(super::CaseResult::passed)))
        })
        .filter(|(_, share)| share.is_some())
        .collect();
    shares("Passed by difficulty", &bars)
}

fn shares(title: &str, bars: &[(String, Option<Share>)]) -> Markup {
    html! {
        figure {
            figcaption { (title) }
            svg viewBox=(view(bars.len())) role="img" aria-label=(title) {
                @for (index, (name, share)) in bars.iter().enumerate() {
                    @let y = place(index);
                    text x="0" y=(y + 16.0) { (name) }
                    rect.ground x=(NAME) y=(y + 3.0) width=(WIDTH) height=(BAR - 8.0) {}
                    @if let Some(share) = share {
                        rect.passed x=(NAME) y=(y + 3.0) width=(share.share * WIDTH) height=(BAR - 8.0) {}
                        line.interval x1=(NAME + share.interval.low * WIDTH) x2=(NAME + share.interval.high * WIDTH)
                            y1=(y + 12.0) y2=(y + 12.0) {}
                        text x=(NAME + WIDTH + 8.0) y=(y + 16.0) { (percent(share.share)) " of " (share.cases) }
                    }
                }
            }
        }
    }
}

/// What became of the trials of each investigator.
pub(super) fn classes(results: &Results) -> Markup {
    let title = "What became of the trials";
    html! {
        figure {
            figcaption { (title) }
            svg viewBox=(view(results.measured.len() + 1)) role="img" aria-label=(title) {
                @for (index, measured) in results.measured.iter().enumerate() {
                    @let y = place(index);
                    text x="0" y=(y + 16.0) { (measured.investigator.name) }
                    @for (class, from, width, count) in parts(measured) {
                        rect class=(class.as_str()) x=(NAME + from * WIDTH) y=(y + 3.0) width=(width * WIDTH)
                            height=(BAR - 8.0) { title { (count) " " (class.as_str()) } }
                    }
                }
                @let y = place(results.measured.len());
                @for (class, x) in Class::ALL.into_iter().zip([0.0, 92.0, 192.0, 300.0, 372.0]) {
                    rect class=(class.as_str()) x=(NAME + x) y=(y + 6.0) width="10" height="10" {}
                    text x=(NAME + x + 14.0) y=(y + 16.0) { (class.as_str()) }
                }
            }
        }
    }
}

/// Each class that there is, with where it begins and how wide it is, from 0 to 1, and its count.
fn parts(measured: &Measured) -> Vec<(Class, f64, f64, u32)> {
    let all = f64::from(measured.summary.trials.max(1));
    let mut from = 0.0;
    let mut parts = Vec::new();
    for class in Class::ALL {
        let count = measured.summary.class(class);
        let width = f64::from(count) / all;
        if count > 0 {
            parts.push((class, from, width, count));
        }
        from += width;
    }
    parts
}

fn place(index: usize) -> f64 {
    f64::from(u32::try_from(index).unwrap_or(u32::MAX)) * BAR
}

fn view(bars: usize) -> String {
    format!("0 0 {} {}", NAME + WIDTH + 90.0, place(bars) + 4.0)
}
