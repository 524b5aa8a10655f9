//! Patterns with `*` and `?`.

/// Whether the whole text fits the pattern, where `*` stands for any letters, also none, and `?` for one. Case doesn't count.
///
/// Time grows with the product of the lengths at worst, whatever the pattern.
pub(crate) fn fits(pattern: &str, text: &str) -> bool {
    fits_exactly(&pattern.to_lowercase(), &text.to_lowercase())
}

/// The same, where case counts.
pub(crate) fn fits_exactly(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    let (mut at, mut letter) = (0, 0);
    // The last star and the letter up to which it was taken to reach; a mismatch lets it reach one letter further.
    let mut star: Option<(usize, usize)> = None;
    while letter < text.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, letter));
                at += 1;
            }
            Some(wanted) if *wanted == '?' || text.get(letter) == Some(wanted) => {
                at += 1;
                letter += 1;
            }
            _ => match &mut star {
                Some((star_at, reached)) => {
                    *reached += 1;
                    at = *star_at + 1;
                    letter = *reached;
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(at).all(|rest| *rest == '*')
}

#[cfg(test)]
mod tests {
    use super::{fits, fits_exactly};

    #[test]
    fn stars_and_question_marks_stand_for_letters() {
        for (pattern, text, wanted) in [
            ("*", "", true),
            ("", "", true),
            ("", "a", false),
            ("prod-*", "prod-1", true),
            ("prod-*", "preprod-1", false),
            ("*-prod", "a-prod-b-prod", true),
            ("a*b*c", "aXbXbYc", true),
            ("a*b*c", "aXbX", false),
            ("secret?", "Secrets", true),
            ("secret?", "secret", false),
            ("a.b", "aXb", false),
            ("*ö??", "größe", true),
        ] {
            assert_eq!(fits(pattern, text), wanted, "{pattern:?} {text:?}");
        }
    }

    #[test]
    fn case_counts_where_it_is_to() {
        assert!(fits("/API/*", "/api/v1") && !fits_exactly("/API/*", "/api/v1") && fits_exactly("/api/*", "/api/v1"));
    }

    #[test]
    fn many_stars_end_soon() {
        assert!(!fits(&"*a".repeat(200), &"a".repeat(199)));
        assert!(fits(&"*a".repeat(200), &"a".repeat(400)));
    }
}
