//! The picture, written as SVG.

use std::fmt::Write as _;

use jiff::Timestamp;

use super::Graph;
use super::axis::{Scale, time_told, times};
use crate::prometheus::{Series, labels};

/// The picture's width, what is left of, right of and above its lines, and how high these are.
const WIDTH: f64 = 720.0;
const LEFT: f64 = 84.0;
const RIGHT: f64 = 20.0;
const TOP: f64 = 56.0;
const HEIGHT: f64 = 240.0;

/// The height of a label in the picture.
const LABEL: f64 = 15.0;

/// The height of a line of the legend, and the most letters of it and of the title.
const ROW: f64 = 20.0;
const LETTERS: usize = 92;
const TITLE: usize = 82;

/// Colours that people who are colour-blind tell apart, on white and on black (Okabe and Ito).
const COLOURS: [&str; 8] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c6d1f", "#7f7f7f"];

/// Readable on a phone.
const STYLE: &str = "text{font:14px system-ui,sans-serif;fill:#222}.title{font-weight:600}.small{font-size:12px;fill:#555}\
    .back{fill:#fff}.grid{stroke:#ddd}.mark{stroke:#555;stroke-dasharray:5 4}.limit{stroke:#c00;stroke-dasharray:8 4}\
    .limit-text{fill:#c00;font-size:12px}.line{fill:none;stroke-width:2;stroke-linejoin:round}";
const DARK: &str = "@media (prefers-color-scheme:dark){text{fill:#eee}.small{fill:#aaa}.back{fill:#16181d}\
    .grid{stroke:#3a3d44}.mark{stroke:#bbb}.limit{stroke:#ff6b6b}.limit-text{fill:#ff6b6b}}";

/// Which screens it is written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Screen {
    /// Light or dark, as the reader's.
    Readers,
    /// Light.
    Light,
}

pub(super) fn written(graph: &Graph, screen: Screen) -> String {
    let dark = if screen == Screen::Readers { DARK } else { "" };
    let (series, more) = graph.drawn();
    let values = series.iter().flat_map(|series| series.points.iter().map(|point| point.value));
    let scale = Scale::of(values.chain(graph.threshold).filter(|value| value.is_finite()), graph.unit);
    let plot = Plot { graph, scale };
    let common = labels::common_line(&graph.common());
    let rows = series.len() + usize::from(more > 0) + usize::from(!common.is_empty());
    let height = (0..rows).fold(TOP + HEIGHT + 44.0, |height, _| height + ROW);
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\">\
         <title>{0}</title><style>{STYLE}{dark}</style><rect class=\"back\" width=\"100%\" height=\"100%\"/>\
         <text class=\"title\" x=\"16\" y=\"26\">{0}</text>",
        escaped(&cut(&graph.title, TITLE))
    );
    let day = graph.window.end.strftime("%Y-%m-%d");
    let _ = write!(text, "<text class=\"small\" x=\"16\" y=\"44\">{day}, times in UTC</text>");
    plot.axes(&mut text);
    for (series, colour) in series.iter().zip(COLOURS) {
        let _ = write!(text, "<path class=\"line\" stroke=\"{colour}\" d=\"{}\"/>", plot.path(series));
    }
    plot.limit(&mut text);
    plot.mark(&mut text);
    plot.legend(&series, more, &common, &mut text);
    text + "</svg>\n"
}

struct Plot<'a> {
    graph: &'a Graph,
    scale: Scale,
}

impl Plot<'_> {
    #[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 are exact in a float")]
    fn x(&self, at: Timestamp) -> f64 {
        let window = self.graph.window;
        let from = |at: Timestamp| (at.as_millisecond() - window.start.as_millisecond()) as f64;
        LEFT + from(at) / from(window.end).max(1.0) * (WIDTH - LEFT - RIGHT)
    }

    fn y(&self, value: f64) -> f64 {
        TOP + HEIGHT * (1.0 - self.scale.place(value))
    }

    fn axes(&self, text: &mut String) {
        let right = WIDTH - RIGHT;
        for tick in &self.scale.ticks {
            let (y, told) = (self.y(*tick), escaped(&self.graph.unit.told(*tick)));
            let _ = write!(
                text,
                "<path class=\"grid\" d=\"M{LEFT} {y:.1}H{right}\"/>\
                 <text class=\"small\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{told}</text>",
                LEFT - 8.0,
                y + 4.0
            );
        }
        let bottom = TOP + HEIGHT;
        for at in times(self.graph.window) {
            let (x, told) = (self.x(at), time_told(self.graph.window, at));
            let _ = write!(
                text,
                "<path class=\"grid\" d=\"M{x:.1} {bottom}v6\"/>\
                 <text class=\"small\" x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{told}</text>",
                bottom + 20.0
            );
        }
    }

    /// The line of a series: it breaks where values are missing, and a value alone is a dot.
    fn path(&self, series: &Series) -> String {
        let longest = self.graph.window.step + self.graph.window.step / 2;
        let (mut path, mut last) = (String::new(), None::<Timestamp>);
        for point in series.points.iter().filter(|point| point.value.is_finite()) {
            let follows = last.and_then(|last| last.checked_add(longest).ok()).is_some_and(|until| point.at <= until);
            let (x, y) = (self.x(point.at), self.y(point.value));
            let step = if follows { format!("L{x:.1} {y:.1}") } else { format!("M{x:.1} {y:.1}h1") };
            path += &step;
            last = Some(point.at);
        }
        path
    }

    fn limit(&self, text: &mut String) {
        let Some(threshold) = self.graph.threshold.filter(|threshold| threshold.is_finite()) else { return };
        let (y, right, told) = (self.y(threshold), WIDTH - RIGHT, self.graph.unit.told(threshold));
        // Beneath the line where above it the picture's head stands.
        let beside = if y < TOP + LABEL { y + LABEL } else { y - 5.0 };
        let _ = write!(
            text,
            "<path class=\"limit\" d=\"M{LEFT} {y:.1}H{right}\"/>\
             <text class=\"limit-text\" x=\"{:.1}\" y=\"{:.1}\">threshold {}</text>",
            LEFT + 6.0,
            beside,
            escaped(&told)
        );
    }

    fn mark(&self, text: &mut String) {
        let window = self.graph.window;
        let Some(at) = self.graph.mark.filter(|at| (window.start..=window.end).contains(at)) else { return };
        let (x, bottom) = (self.x(at), TOP + HEIGHT);
        // Beside the line, on the side that has room.
        let (anchor, beside) = if x > WIDTH / 2.0 { ("end", x - 5.0) } else { ("start", x + 5.0) };
        let _ = write!(
            text,
            "<path class=\"mark\" d=\"M{x:.1} {TOP}V{bottom}\"/>\
             <text class=\"small\" x=\"{beside:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">the incident began</text>",
            TOP + 12.0
        );
    }

    fn legend(&self, series: &[&Series], more: usize, common: &str, text: &mut String) {
        let mut y = TOP + HEIGHT + 46.0;
        let common_labels = self.graph.common();
        if !common.is_empty() {
            let _ =
                write!(text, "<text class=\"small\" x=\"16\" y=\"{y:.1}\">{}</text>", escaped(&cut(common, LETTERS)));
            y += ROW;
        }
        for (series, colour) in series.iter().zip(COLOURS) {
            let name = labels::told(&series.labels, &common_labels);
            let name = if name.is_empty() { "the value".to_owned() } else { name };
            let last = series.points.iter().rev().find(|point| point.value.is_finite());
            let last = last.map(|point| format!(": {}", self.graph.unit.told(point.value))).unwrap_or_default();
            let _ = write!(
                text,
                "<path stroke=\"{colour}\" stroke-width=\"4\" d=\"M16 {:.1}h16\"/>\
                 <text x=\"40\" y=\"{y:.1}\">{}</text>",
                y - 5.0,
                escaped(&(cut(&name, LETTERS - 16) + &last))
            );
            y += ROW;
        }
        if more > 0 {
            let _ = write!(
                text,
                "<text class=\"small\" x=\"40\" y=\"{y:.1}\">and {more} more, which reach less high</text>"
            );
        }
    }
}

/// A text that can't end what it stands in, nor hold letters that XML has no place for.
fn escaped(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '<' => written.push_str("&lt;"),
            '>' => written.push_str("&gt;"),
            '&' => written.push_str("&amp;"),
            '"' => written.push_str("&quot;"),
            '\u{fffe}' | '\u{ffff}' => {}
            letter if letter.is_control() => written.push(' '),
            letter => written.push(letter),
        }
    }
    written
}

fn cut(text: &str, letters: usize) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= letters {
        line
    } else {
        format!("{}…", line.chars().take(letters - 1).collect::<String>())
    }
}
