#![allow(clippy::unwrap_used, missing_docs)]

use proptest::prelude::*;
use serde_json::json;

use super::axis::Scale;
use super::*;
use crate::prometheus::Point;
use crate::prometheus::double::Double;

const END: &str = "2026-01-02T03:10:00Z";

async fn asked(query: &str, drawn: &str) -> Graph {
    let double = Double::start().await;
    let of = |pod: &str| json!({"namespace": "shop", "pod": pod});
    let stepped: Vec<f64> = (0..41).map(|minute| if minute < 30 { 0.1 } else { 0.9 }).collect();
    double
        .matrix(
            drawn,
            &[
                (of("<cart> & \"co\""), "2026-01-02T02:30:00Z", &stepped),
                (of("web"), "2026-01-02T02:50:00Z", &[0.3; 9]),
            ],
        )
        .await;
    double.nothing_else().await;
    let mark = "2026-01-02T03:00:00Z".parse().unwrap();
    let length = Duration::from_mins(40);
    Graph::ask(&double.prometheus(), query, length, END.parse().unwrap(), Some(mark)).await.unwrap()
}

#[tokio::test]
async fn what_a_comparison_is_about_is_drawn_with_its_number_as_a_line() {
    let graph = asked("rate(x[5m]) > 0.5", "rate(x[5m])").await;
    assert_eq!((graph.len(), graph.is_empty(), graph.threshold), (2, false, Some(0.5)));
    let svg = graph.svg();
    for part in [
        "<title>rate(x[5m]) &gt; 0.5</title>",
        ">threshold 0.5</text>",
        ">the incident began</text>",
        "all have namespace=&quot;shop&quot;",
        "pod=&quot;&lt;cart&gt; &amp; \\&quot;co\\&quot;&quot;: 0.9",
        ">02:30</text>",
        ">03:10</text>",
        "prefers-color-scheme:dark",
    ] {
        assert!(svg.contains(part), "{part} is not in {svg}");
    }
    assert_eq!(svg.matches("class=\"line\"").count(), 2);
    assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
}

#[tokio::test]
async fn a_query_without_values_is_empty() {
    let double = Double::start().await;
    double.nothing_else().await;
    let end = END.parse().unwrap();
    let graph = Graph::ask(&double.prometheus(), "nothing", Duration::from_mins(10), end, None).await.unwrap();
    assert!(graph.is_empty() && graph.svg().ends_with("</svg>\n"));
}

#[test]
fn ticks_are_numbers_that_people_count_with() {
    let ticks = |values: &[f64], unit: Unit| -> Vec<String> {
        Scale::of(values.iter().copied(), unit).ticks.iter().map(|tick| unit.told(*tick)).collect()
    };
    assert_eq!(ticks(&[0.1, 0.9], Unit::Plain), ["0", "0.2", "0.4", "0.6", "0.8", "1"]);
    assert_eq!(ticks(&[100.0, 104.0], Unit::Plain), ["100", "101", "102", "103", "104"]);
    assert_eq!(ticks(&[0.0, 900.0 * 1_048_576.0], Unit::Bytes)[1], "200 MiB");
    assert_eq!(ticks(&[-3.0, 3.0], Unit::Plain), ["-3", "-2", "-1", "0", "1", "2", "3"]);
    assert_eq!(ticks(&[0.0], Unit::Plain).len(), 5);
}

proptest! {
    #[test]
    fn any_series_are_drawn_within_the_picture(
        values in prop::collection::vec(prop::num::f64::ANY, 0..40),
        name in ".{0,40}",
        threshold in prop::option::of(prop::num::f64::ANY),
    ) {
        let end: Timestamp = END.parse().unwrap();
        let window = Window::between(end - Duration::from_mins(40), end).aligned();
        let point = |(minute, value): (usize, &f64)| Point { at: window.start + Duration::from_mins(minute as u64), value: *value };
        let series = Series {
            labels: [("pod", name.as_str())].into_iter().collect(),
            points: values.iter().enumerate().map(point).collect(),
            histograms: 0,
        };
        let graph = Graph { title: name, window, unit: Unit::Plain, series: vec![series], threshold, mark: None, warnings: Vec::new() };
        let svg = graph.svg();
        prop_assert_eq!(svg.matches('<').count(), svg.matches('>').count());
        prop_assert!(svg.matches("class=\"grid\"").count() < 40);
    }
}

#[tokio::test]
async fn as_pixels_it_has_its_lines_its_letters_and_a_light_background() {
    let graph = asked("rate(x[5m]) > 0.5", "rate(x[5m])").await;
    let pixels = resvg::tiny_skia::Pixmap::decode_png(&graph.png().unwrap()).unwrap();
    assert_eq!(pixels.width(), 1_440);
    let count = |wanted: [u8; 3]| {
        let same =
            |pixel: &&resvg::tiny_skia::PremultipliedColorU8| [pixel.red(), pixel.green(), pixel.blue()] == wanted;
        pixels.pixels().iter().filter(same).count()
    };
    let all = pixels.pixels().len();
    assert!(count([255, 255, 255]) > all / 2, "the background is white");
    for (what, colour) in [("a line", [0, 0x72, 0xb2]), ("the threshold", [0xcc, 0, 0]), ("letters", [0x22; 3])] {
        assert!(count(colour) > 100, "{what}: {}", count(colour));
    }
}
