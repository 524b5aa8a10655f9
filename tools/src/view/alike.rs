//! Several things of a kind, of which those that are equal are told as one.

use super::grouped;

/// The items that have the same key, together; groups and items stay in the order in which they come.
pub(crate) fn alike<T, K: PartialEq>(items: &[T], key: impl Fn(&T) -> K) -> Vec<Vec<&T>> {
    let mut groups: Vec<(K, Vec<&T>)> = Vec::new();
    for item in items {
        let key = key(item);
        match groups.iter_mut().find(|(known, _)| *known == key) {
            Some((_, group)) => group.push(item),
            None => groups.push((key, vec![item])),
        }
    }
    groups.into_iter().map(|(_, group)| group).collect()
}

/// Names as `cart-5d-{a, b} and 10 more`: what they begin with alike is written once, up to a hyphen.
pub(crate) fn names(names: &[&str], most: usize) -> String {
    let shown = names.get(..most.min(names.len())).unwrap_or_default();
    let begin = beginning(shown);
    let rest: Vec<&str> = shown.iter().map(|name| name.get(begin.len()..).unwrap_or(name)).collect();
    let written = match rest.as_slice() {
        [_, _, ..] if !begin.is_empty() => format!("{begin}{{{}}}", rest.join(", ")),
        _ => shown.join(", "),
    };
    match names.len() - shown.len() {
        0 => written,
        more => format!("{written} and {} more", grouped(more)),
    }
}

/// What all names begin with, up to and with a hyphen.
fn beginning<'a>(names: &[&'a str]) -> &'a str {
    let Some((first, others)) = names.split_first() else { return "" };
    let ends = first.match_indices('-').map(|(at, _)| at + 1).rev();
    ends.filter_map(|end| first.get(..end))
        .find(|begin| others.iter().all(|name| name.starts_with(begin)))
        .unwrap_or("")
}

/// Values with how many have each, the most frequent first, as `n1 (8), n2 (4)`; one value alone is not counted.
pub(crate) fn counted<'a>(values: impl IntoIterator<Item = &'a str>, most: usize) -> String {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for value in values {
        match counts.iter_mut().find(|(known, _)| *known == value) {
            Some((_, count)) => *count += 1,
            None => counts.push((value, 1)),
        }
    }
    if let [(only, _)] = counts.as_slice() {
        return (*only).to_owned();
    }
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let mut shown: Vec<String> =
        counts.iter().take(most).map(|(value, count)| format!("{value} ({})", grouped(*count))).collect();
    if counts.len() > most {
        shown.push(format!("{} others", grouped(counts.len() - most)));
    }
    shown.join(", ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_item_is_lost_and_none_told_twice(items in prop::collection::vec(0u8..5, 0..40)) {
            let groups = alike(&items, |item| *item);
            prop_assert_eq!(groups.iter().map(Vec::len).sum::<usize>(), items.len());
            for group in &groups {
                prop_assert!(group.iter().all(|item| Some(item) == group.first()));
            }
        }

        #[test]
        fn names_that_are_shown_can_be_read_back(all in prop::collection::vec("[a-z]{1,3}(-[a-zä]{0,3}){0,3}", 0..6), most in 1usize..8) {
            let shown = names(&all.iter().map(String::as_str).collect::<Vec<_>>(), most);
            let shown = shown.split(" and ").next().unwrap();
            let read: Vec<String> = match shown.split_once('{') {
                Some((begin, rest)) => rest.trim_end_matches('}').split(", ").map(|end| format!("{begin}{end}")).collect(),
                None => shown.split(", ").map(str::to_owned).filter(|name| !name.is_empty()).collect(),
            };
            prop_assert_eq!(read, all.into_iter().take(most).collect::<Vec<_>>());
        }
    }

    #[test]
    fn what_names_begin_with_alike_is_written_once() {
        assert_eq!(names(&["cart-5d-a", "cart-5d-b", "cart-5d-c"], 2), "cart-5d-{a, b} and 1 more");
        assert_eq!(names(&["cart-5d-a", "web-1"], 5), "cart-5d-a, web-1");
        assert_eq!(names(&["cart-5d-a"], 5), "cart-5d-a");
    }

    #[test]
    fn values_are_counted_where_they_differ() {
        assert_eq!(counted(["n1", "n1"], 3), "n1");
        assert_eq!(counted(["n1", "n2", "n2", "n3", "n4"], 2), "n2 (2), n1 (1), 2 others");
    }
}
