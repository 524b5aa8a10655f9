//! What `kubectl` says without what time alone alters.

use std::sync::LazyLock;

use regex::Regex;

/// Columns that hold ages, by which the same answer differs from one second to the next.
const AGES: [&str; 5] = ["AGE", "LAST SEEN", "LAST SCHEDULE", "DURATION", "Age"];

/// How long ago something was, within a line.
static AGO: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(\d+(y|d|h|m|s))+ ago\b|<invalid> ago").unwrap());

/// The cells of a table's head.
static CELL: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\S+( \S+)*").unwrap());

/// What was said, without ages: those of columns that are named so, as far as their tables go, and how long ago something
/// was. Tables are as wide as their widest age, so that how far apart their cells stand doesn't count either. Other
/// lengths of time and quantities, as `100m` of a processor, stay.
pub(crate) fn ageless(said: &str) -> String {
    let mut columns: Vec<(usize, usize)> = Vec::new();
    let mut out = Vec::new();
    for line in said.lines() {
        let cells: Vec<_> = CELL.find_iter(line).collect();
        let starts = |index: usize| cells.get(index).map_or(usize::MAX, |cell| line[..cell.start()].chars().count());
        let ages = cells.iter().enumerate().filter(|(_, cell)| AGES.contains(&cell.as_str()));
        let found: Vec<(usize, usize)> = ages.map(|(index, _)| (starts(index), starts(index + 1))).collect();
        if !found.is_empty() && cells.len() > 1 {
            columns.clone_from(&found);
        } else if line.trim().is_empty() {
            columns.clear();
        }
        let of_age = |at: usize| found.is_empty() && columns.iter().any(|(from, to)| (*from..*to).contains(&at));
        let kept: String = line.chars().enumerate().filter(|(at, _)| !of_age(*at)).map(|(_, letter)| letter).collect();
        let kept = AGO.replace_all(&kept, "<ago>").into_owned();
        let in_table = !columns.is_empty();
        out.push(if in_table { kept.split_whitespace().collect::<Vec<_>>().join(" ") } else { kept });
    }
    out.join("\n")
}

#[test]
fn ages_are_left_out_and_quantities_are_compared() {
    let pods = |cpu: &str, age: &str, ago: &str| {
        format!("NAME   CPU    RESTARTS      AGE    NODE\ncart   {cpu}   3 ({ago} ago)   {age}   n1\n\nlimit: {cpu}\n")
    };
    assert_eq!(ageless(&pods("100m", "5m3s", "10s")), ageless(&pods("100m", "5m9s", "16s")));
    assert_ne!(ageless(&pods("100m", "5m3s", "10s")), ageless(&pods("200m", "5m3s", "10s")));
    let events = |age: &str| {
        format!(
            "Liveness:  exec delay=5s period=10s\nEvents:\n  Type    Reason  Age               From     Message\n  ----    ------  ----              ----     -------\n  Normal  Pulled  {age} (x3 over 10m)  kubelet  after 30s\n"
        )
    };
    assert_eq!(ageless(&events("3m")), ageless(&events("4m")));
    assert!(ageless(&events("3m")).contains("delay=5s period=10s") && ageless(&events("3m")).contains("after 30s"));
}
