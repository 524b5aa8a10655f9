//! A page as text.

use super::get::Page;

/// Elements whose content nobody reads.
const UNREAD: [&str; 6] = ["script", "style", "template", "svg", "noscript", "iframe"];

/// Elements that stand on lines of their own.
const BLOCKS: [&str; 33] = [
    "address",
    "article",
    "aside",
    "blockquote",
    "br",
    "dd",
    "div",
    "dl",
    "dt",
    "fieldset",
    "figure",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hr",
    "li",
    "main",
    "nav",
    "ol",
    "p",
    "pre",
    "section",
    "table",
    "title",
    "tr",
    "ul",
    "option",
];

/// The body as a reader wants it: HTML as its text, JSON on lines, other text as it is, and nothing of what is no text.
pub(super) fn text(page: &Page) -> String {
    let kind = page.media_type.as_deref().unwrap_or_default();
    let (kind, parameters) = kind.split_once(';').unwrap_or((kind, ""));
    let kind = kind.trim();
    let textual = kind.is_empty()
        || kind.starts_with("text/")
        || ["json", "xml", "yaml", "javascript", "x-www-form-urlencoded"].iter().any(|word| kind.contains(word));
    if !textual || page.body.contains(&0) {
        let what = if kind.is_empty() { "of no named type" } else { kind };
        return format!("({what}, {} bytes: no text, not shown)", crate::view::grouped(page.body.len()));
    }
    let latin = ["iso-8859-1", "windows-1252", "us-ascii"].iter().any(|set| parameters.contains(set));
    let text = match std::str::from_utf8(&page.body) {
        Ok(text) => text.to_owned(),
        Err(_) if latin => page.body.iter().map(|byte| char::from(*byte)).collect(),
        Err(_) => String::from_utf8_lossy(&page.body).into_owned(),
    };
    let start = text.trim_start().get(..15).unwrap_or_default().to_lowercase();
    if kind.contains("html") || kind.is_empty() && (start.starts_with("<!doctype html") || start.starts_with("<html")) {
        return of_html(&text);
    }
    if kind.contains("json") && !page.cut && text.trim().lines().count() == 1 {
        let value: Option<serde_json::Value> = serde_json::from_str(&text).ok();
        return value.and_then(|value| serde_json::to_string_pretty(&value).ok()).unwrap_or(text);
    }
    text
}

/// The text of HTML, one line a block; table cells are apart by bars. Tags that have no end are left out with what follows.
fn of_html(html: &str) -> String {
    let mut text = Written::default();
    let mut rest = html;
    while let Some((before, after)) = rest.split_once('<') {
        text.words(before);
        if let Some(comment) = after.strip_prefix("!--") {
            rest = comment.split_once("-->").map_or("", |(_, rest)| rest);
            continue;
        }
        if !after.starts_with(|letter: char| letter.is_ascii_alphabetic() || letter == '/' || letter == '!') {
            text.words("<");
            rest = after;
            continue;
        }
        let Some((tag, following)) = after.split_once('>') else { break };
        let closing = tag.starts_with('/');
        let name: String = tag
            .trim_start_matches('/')
            .chars()
            .take_while(char::is_ascii_alphanumeric)
            .collect::<String>()
            .to_lowercase();
        rest = following;
        if !closing && !tag.ends_with('/') && UNREAD.contains(&name.as_str()) {
            rest = beyond(following, &name);
            continue;
        }
        match name.as_str() {
            "pre" | "textarea" => {
                text.end_line();
                text.kept = !closing;
            }
            "td" | "th" if closing => text.cell(),
            "li" if !closing => {
                text.end_line();
                text.raw("- ");
            }
            name if BLOCKS.contains(&name) => text.end_line(),
            _ => {}
        }
    }
    if !rest.contains('<') {
        text.words(rest);
    }
    text.end_line();
    text.all
}

/// What follows the end of an element.
fn beyond<'a>(text: &'a str, name: &str) -> &'a str {
    let end = format!("</{name}");
    let mut from = 0;
    while let Some(found) = text.get(from..).and_then(|rest| rest.find("</")) {
        let at = from + found;
        let here = text.get(at..at + end.len());
        if here.is_some_and(|here| here.eq_ignore_ascii_case(&end)) {
            return text.get(at..).and_then(|rest| rest.split_once('>')).map_or("", |(_, rest)| rest);
        }
        from = at + 2;
    }
    ""
}

/// Text that is being written, without empty lines and spaces beside spaces.
#[derive(Default)]
struct Written {
    all: String,
    line: String,
    /// Whether spaces and line breaks are kept as they are.
    kept: bool,
}

impl Written {
    fn words(&mut self, html: &str) {
        let text = unescaped(html);
        if self.kept {
            for part in text.split_inclusive('\n') {
                self.line.push_str(part.trim_end_matches(['\r', '\n']));
                if part.ends_with('\n') {
                    self.end_line();
                }
            }
            return;
        }
        let spaced = text.starts_with(char::is_whitespace);
        for (index, word) in text.split_whitespace().enumerate() {
            if (index > 0 || spaced) && !self.line.is_empty() && !self.line.ends_with(' ') {
                self.line.push(' ');
            }
            self.line.push_str(word);
        }
        if text.ends_with(char::is_whitespace) && !self.line.is_empty() && !self.line.ends_with(' ') {
            self.line.push(' ');
        }
    }

    fn raw(&mut self, text: &str) {
        self.line.push_str(text);
    }

    fn cell(&mut self) {
        let length = self.line.trim_end().len();
        self.line.truncate(length);
        self.line.push_str(" | ");
    }

    fn end_line(&mut self) {
        let line = self.line.trim_end().trim_end_matches(" |");
        if !line.trim().is_empty() && line.trim() != "-" {
            self.all.push_str(line);
            self.all.push('\n');
        }
        self.line.clear();
    }
}

/// Text with its character references replaced by what they stand for; unknown ones stay.
fn unescaped(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    let mut rest = html;
    while let Some((before, after)) = rest.split_once('&') {
        text.push_str(before);
        // The longest that is known has so many letters.
        let end = after.bytes().take(10).position(|byte| byte == b';');
        let reference = end.and_then(|end| after.get(..end)).and_then(character);
        if let (Some(letter), Some(end)) = (reference, end) {
            text.push(letter);
            rest = after.get(end + 1..).unwrap_or_default();
        } else {
            text.push('&');
            rest = after;
        }
    }
    text.push_str(rest);
    text
}

fn character(reference: &str) -> Option<char> {
    if let Some(number) = reference.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => number.parse().ok()?,
        };
        return char::from_u32(code).filter(|letter| *letter != '\0');
    }
    Some(match reference {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => ' ',
        "ndash" => '–',
        "mdash" => '—',
        "hellip" => '…',
        "middot" => '·',
        "bull" => '•',
        "laquo" => '«',
        "raquo" => '»',
        "rarr" => '→',
        "copy" => '©',
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_page_is_its_words_a_line_a_block() {
        let html = "<!DOCTYPE html><html><head><title>Status &amp; news</title><style>p { color: red }</style>\n\
            <SCRIPT>if (a < b) alert('</p>')</SCRIPT></head><body><!-- <p>hidden</p> -->\n\
            <h1>All\n systems <b>down</b>&#33;</h1><ul><li>cart<li><a href=x>pay</a></li></ul>\n\
            <table><tr><th>what</th><th>since</th></tr><tr><td>cart</td><td>03:00</td></tr></table>\n\
            <pre>a  b\n  c</pre>1 < 2 &unknown; &nbsp;end<br/>";
        assert_eq!(
            of_html(html),
            "Status & news\nAll systems down!\n- cart\n- pay\nwhat | since\ncart | 03:00\na  b\n  c\n1 < 2 &unknown; end\n"
        );
    }

    #[test]
    fn what_has_no_end_is_left_out() {
        assert_eq!(of_html("a<script>b"), "a\n");
        assert_eq!(of_html("a<!-- b"), "a\n");
        assert_eq!(of_html("a<p b"), "a\n");
    }

    proptest! {
        #[test]
        fn no_page_can_do_harm(html in "(<[a-z/!-]{0,6}|>|&[#a-z0-9]{0,4}|;|[ a-z\\n]{0,6}|ä|</script){0,60}") {
            let text = of_html(&html);
            prop_assert!(text.lines().all(|line| !line.trim().is_empty()));
        }
    }
}
