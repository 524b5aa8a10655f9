//! Figures and texts as reports write them.

use crate::score::Share;

/// How many characters of an answer are shown.
const BRIEF: usize = 240;

/// A text on one line, cut where it is long.
pub(super) fn brief(text: &str) -> String {
    let line = text.split(|letter: char| letter.is_whitespace() || letter.is_control()).filter(|word| !word.is_empty());
    let line = line.collect::<Vec<_>>().join(" ");
    if line.chars().count() <= BRIEF { line } else { line.chars().take(BRIEF).chain(['…']).collect() }
}

/// As `84 %`.
pub(super) fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

/// As `84 %`, or a dash where there is nothing to share.
pub(super) fn share(share: Option<Share>) -> String {
    share.map_or_else(|| "–".to_owned(), |share| percent(share.share))
}

/// As `84 % (70–92)`.
pub(super) fn with_interval(share: Option<Share>) -> String {
    share.map_or_else(
        || "–".to_owned(),
        |share| {
            format!("{} ({:.0}–{:.0})", percent(share.share), share.interval.low * 100.0, share.interval.high * 100.0)
        },
    )
}

/// As `12.4k`; a dash where it is not known.
pub(super) fn thousands(mean: Option<f64>) -> String {
    match mean {
        None => "–".to_owned(),
        Some(mean) if mean >= 10_000.0 => format!("{:.0}k", mean / 1_000.0),
        Some(mean) if mean >= 1_000.0 => format!("{:.1}k", mean / 1_000.0),
        Some(mean) => format!("{mean:.0}"),
    }
}

/// As `0.8 s`.
pub(super) fn seconds(seconds: Option<f64>) -> String {
    seconds.map_or_else(|| "–".to_owned(), |seconds| format!("{seconds:.1} s"))
}

/// As `$0.0123`; a dash where nothing is priced.
pub(super) fn dollars(micros: Option<f64>) -> String {
    micros
        .filter(|micros| *micros > 0.0)
        .map_or_else(|| "–".to_owned(), |micros| format!("${:.4}", micros / 1_000_000.0))
}
