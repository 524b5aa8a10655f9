//! Texts in Slack's markup, such that nothing in them acts.
//!
//! `&`, `<` and `>` are escaped, so no text makes a mention or a link; `verbatim` on the text objects keeps Slack from
//! making links of bare addresses. (docs.slack.dev, "Formatting text for app surfaces".)

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::render::bounded;

/// The text escaped, cut so that it takes at most `limit` after it; the cut never splits an escape.
pub(super) fn escape(text: &str, limit: usize) -> String {
    // A fence in prose would turn all that follows into code.
    let text = text.replace("```", "'''");
    escape_raw(&text, limit)
}

/// The text as a block of code, fence included, at most `limit`.
pub(super) fn code(text: &str, limit: usize) -> String {
    // A zero-width space between the ticks keeps a fence in the text from ending the block.
    let text = text.replace("``", "`\u{200b}`");
    format!("```\n{}\n```", escape_raw(&text, limit.saturating_sub(8)))
}

/// A link that we make ourselves. The address is of the web and holds neither `<`, `>`, `|` nor white space.
pub(super) fn link(address: &str, label: &str) -> String {
    format!("<{}|{}>", address.replace('&', "&amp;"), escape(label, 200))
}

/// A time that each reader sees in their own zone.
pub(super) fn time(at: Timestamp) -> String {
    let fallback = at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d %H:%M UTC").to_string();
    format!("<!date^{}^{{date_short_pretty}} {{time}}|{fallback}>", at.as_second())
}

fn escape_raw(text: &str, limit: usize) -> String {
    let size = |c: char| match c {
        '&' => 5,
        '<' | '>' => 4,
        c => c.len_utf16(),
    };
    let mut room = limit.saturating_sub(1);
    let fits = text.chars().map(size).sum::<usize>() <= limit;
    let mut escaped = String::with_capacity(text.len().min(limit));
    for c in text.chars() {
        if !fits {
            let Some(left) = room.checked_sub(size(c)) else {
                escaped.push('…');
                break;
            };
            room = left;
        }
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            c => escaped.push(c),
        }
    }
    escaped
}

/// Text for a header, where nothing is markup: at most `limit`.
pub(super) fn plain(text: &str, limit: usize) -> String {
    bounded(text, limit).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::width;

    #[test]
    fn nothing_in_a_text_acts() {
        assert_eq!(escape("<!channel> a & b ```x", 100), "&lt;!channel&gt; a &amp; b '''x");
        assert_eq!(code("a\n```\n<@U1>", 100), "```\na\n`\u{200b}``\n&lt;@U1&gt;\n```");
    }

    #[test]
    fn a_cut_never_splits_an_escape_and_always_fits() {
        for limit in 1..40 {
            let text = escape("a<b>&😀<<<<<<<<<<", limit);
            assert!(width(&text) <= limit, "{limit}: {text}");
            assert!(!text.contains("&…") && !text.contains("&l…") && !text.contains("&lt…"), "{text}");
        }
    }

    #[test]
    fn ticks_can_not_end_a_block_of_code() {
        for ticks in 1..12 {
            let inside = "`".repeat(ticks);
            let block = code(&inside, 200);
            let inner = block.strip_prefix("```\n").and_then(|rest| rest.strip_suffix("\n```")).unwrap_or_default();
            assert!(!inner.contains("``") || !inner.contains("```"), "{block:?}");
        }
    }
}
