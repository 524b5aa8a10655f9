//! Names that a wrong name may have meant.

/// At most `limit` of the candidates that look like `word`, the likeliest first.
pub(crate) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>, limit: usize) -> Vec<&'a str> {
    let word = word.to_lowercase();
    let mut scored: Vec<(usize, &str)> = candidates
        .into_iter()
        .filter_map(|candidate| score(&word, &candidate.to_lowercase()).map(|score| (score, candidate)))
        .collect();
    scored.sort_unstable();
    scored.dedup();
    scored.into_iter().take(limit).map(|(_, candidate)| candidate).collect()
}

/// How far apart two names are, less being nearer; nothing where they have nothing to do with each other.
///
/// Replaced pods keep their workload's prefix and people leave prefixes out, so that counts beside mistyped letters.
fn score(word: &str, candidate: &str) -> Option<usize> {
    let shorter = word.chars().count().min(candidate.chars().count());
    let longer = word.chars().count().max(candidate.chars().count());
    if shorter == 0 || longer > 300 {
        return None;
    }
    let distance = edits(word, candidate);
    let prefix = word.chars().zip(candidate.chars()).take_while(|(left, right)| left == right).count();
    let mistyped = distance <= (longer / 3).max(1);
    let within = shorter >= 3 && (candidate.contains(word) || word.contains(candidate));
    // As `cart-` of two pods of one workload.
    let same_word = word.chars().take(prefix).last() == Some('-');
    let same_start = prefix >= 4 && (same_word || prefix * 2 >= shorter);
    (mistyped || within || same_start).then_some(distance)
}

/// The number of letters to change, add or remove to make one text the other.
fn edits(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (index, letter) in left.chars().enumerate() {
        let mut diagonal = index;
        let mut behind = index + 1;
        if let Some(first) = row.first_mut() {
            *first = behind;
        }
        for (cell, other) in row.iter_mut().skip(1).zip(&right) {
            let replaced = diagonal + usize::from(letter != *other);
            diagonal = *cell;
            *cell = replaced.min(diagonal + 1).min(behind + 1);
            behind = *cell;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_are_counted_as_people_count_them() {
        assert_eq!(
            [edits("", "abc"), edits("kitten", "sitting"), edits("same", "same"), edits("ab", "ba")],
            [3, 3, 0, 2]
        );
    }

    #[test]
    fn a_replaced_pod_is_near_its_successor_and_a_stranger_is_not() {
        let pods = ["cart-5d8f9c7b4-x2x9z", "catalogue-66b8c-9f2kp", "payments-0"];
        assert_eq!(nearest("cart-7c9d6b5f8-q4w8r", pods, 3), ["cart-5d8f9c7b4-x2x9z"]);
        assert_eq!(nearest("Payment-0", pods, 3), ["payments-0"]);
        assert_eq!(nearest("redis", pods, 3), Vec::<&str>::new());
    }
}
