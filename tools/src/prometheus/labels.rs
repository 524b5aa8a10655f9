//! Label sets, what all have in common being told once.

use marple_core::Labels;

/// The label that holds a metric's name.
pub(super) const NAME: &str = "__name__";

/// The labels that all sets have with the same value; none where there are fewer than two sets.
pub(super) fn common<'a>(sets: impl IntoIterator<Item = &'a Labels>) -> Labels {
    let mut sets = sets.into_iter();
    let (Some(first), Some(second)) = (sets.next(), sets.next()) else { return Labels::new() };
    let mut shared: Vec<(&str, &str)> = first.iter().filter(|(name, value)| second.get(name) == Some(value)).collect();
    for set in sets {
        shared.retain(|(name, value)| set.get(name) == Some(value));
    }
    shared.into_iter().collect()
}

/// Labels as a selector without its braces, the metric's name first, those of `but` left out.
pub(super) fn told(labels: &Labels, but: &Labels) -> String {
    let name = labels.get(NAME).filter(|name| but.get(NAME) != Some(name)).map(str::to_owned);
    let rest = labels.iter().filter(|(name, value)| *name != NAME && but.get(name) != Some(value));
    let parts: Vec<String> = name.into_iter().chain(rest.map(|(name, value)| format!("{name}={value:?}"))).collect();
    parts.join(" ")
}

/// The line that tells what all series have in common; empty where there is nothing.
pub(super) fn common_line(common: &Labels) -> String {
    if common.is_empty() { String::new() } else { format!("all have {}\n", told(common, &Labels::new())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(pairs: &[(&str, &str)]) -> Labels {
        pairs.iter().copied().collect()
    }

    #[test]
    fn what_all_have_is_told_once() {
        let one = set(&[(NAME, "up"), ("job", "node"), ("instance", "a:1")]);
        let two = set(&[(NAME, "up"), ("job", "node"), ("instance", "b \"c\"")]);
        let shared = common([&one, &two]);
        assert_eq!(common_line(&shared), "all have up job=\"node\"\n");
        assert_eq!(
            (told(&one, &shared), told(&two, &shared)),
            ("instance=\"a:1\"".into(), "instance=\"b \\\"c\\\"\"".into())
        );
        assert_eq!(common([&one]), Labels::new());
        assert_eq!(told(&one, &Labels::new()), "up instance=\"a:1\" job=\"node\"");
    }
}
