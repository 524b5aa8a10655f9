#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;
use crate::bundle::RecordedLog;

fn log(pod: &str, previous: bool, text: &str) -> RecordedLog {
    RecordedLog {
        namespace: "shop".to_owned(),
        pod: pod.to_owned(),
        container: "app".to_owned(),
        previous,
        text: text.to_owned(),
        refused: None,
    }
}

fn recorded() -> Vec<Stream> {
    streams::of(&[
        log("cart-1", false, "2026-01-01T00:00:05Z ERROR db refused\n2026-01-01T00:00:06Z retry\n"),
        log("cart-1", true, "2026-01-01T00:00:01Z start\n2026-01-01T00:00:02Z error: Out of Memory\n"),
        log("web-1", false, "2026-01-01T00:00:03Z GET /\n"),
        log("idle-1", false, ""),
    ])
}

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Pod and text of what a query finds in the first ten seconds.
fn found(text: &str, forward: bool, limit: usize) -> Vec<(String, String)> {
    let (streams, Query::Lines(query)) = (recorded(), parse::query(text).ok().unwrap()) else { unreachable!() };
    let found = query.lines(&streams, time("2026-01-01T00:00:00Z"), time("2026-01-01T00:00:10Z"), forward, limit);
    let told = found.iter().flat_map(|Lines { stream, lines }| {
        lines.iter().map(|line| (stream.label("pod").unwrap().to_owned(), line.text.clone()))
    });
    told.collect()
}

use super::query::Lines;

fn pairs(wanted: &[(&str, &str)]) -> Vec<(String, String)> {
    wanted.iter().map(|(pod, text)| ((*pod).to_owned(), (*text).to_owned())).collect()
}

#[test]
fn lines_of_all_runs_are_found_by_labels_and_filters_from_either_end() {
    let all = r#"{namespace="shop"}"#;
    assert_eq!(found(all, true, 2), pairs(&[("cart-1", "start"), ("cart-1", "error: Out of Memory")]));
    assert_eq!(found(all, false, 2), pairs(&[("cart-1", "retry"), ("cart-1", "ERROR db refused")]));
    let errors = r#"{namespace="shop", pod=~"cart-.*"} |~ "(?i)error" != "refused""#;
    assert_eq!(found(errors, true, 9), pairs(&[("cart-1", "error: Out of Memory")]));
    assert_eq!(found(r#"{container!="app",namespace="shop"}"#, true, 9), []);
    let either = r#"{namespace="shop"} | pod="web-1" or k8s_pod_name="web-1" |= "GET" or "POST""#;
    assert_eq!(found(either, true, 9), pairs(&[("web-1", "GET /")]));
}

#[test]
fn lines_are_counted_over_time_by_labels() {
    let streams = recorded();
    let Query::Sums(sums) = parse::query(r#"sum by (pod) (count_over_time({namespace="shop"}[3s]))"#).ok().unwrap()
    else {
        unreachable!()
    };
    let (start, end) = (time("2026-01-01T00:00:03Z"), time("2026-01-01T00:00:09Z"));
    let until = Instant::now() + QUERY;
    let series = sums.range(&streams, start, end, SignedDuration::from_secs(3), until).unwrap();
    let told: Vec<(String, Vec<(i64, f64)>)> = series
        .iter()
        .map(|series| {
            let points = series.points.iter().map(|(at, value)| (at.as_second() - start.as_second(), *value));
            (series.labels["pod"].clone(), points.collect())
        })
        .collect();
    assert_eq!(told, [("cart-1".to_owned(), vec![(0, 2.0), (3, 2.0)]), ("web-1".to_owned(), vec![(0, 1.0)])]);
    let Query::Sums(rate) = parse::query(r#"rate({pod="cart-1"} |= "retry" [4s])"#).ok().unwrap() else {
        unreachable!()
    };
    let at = rate.at(&streams, time("2026-01-01T00:00:06Z"));
    assert_eq!((at[0].labels.len(), at[0].points[0].1), (3, 0.25));
}

#[test]
fn what_cannot_be_answered_rightly_is_refused_and_what_can_is_said() {
    for text in [
        "",
        "{}",
        r#"{pod=~".*"}"#,
        r#"{namespace="shop"} | json"#,
        r#"{namespace="shop"} | line_format "{{.a}}""#,
        r#"topk(3, rate({namespace="shop"}[1m]))"#,
        r#"rate({namespace="shop"}[soon])"#,
        r#"{namespace="shop"} |~ "(""#,
        r#"{namespace="shop"#,
    ] {
        let Err(Failure(why)) = parse::query(text) else { panic!("{text} was read") };
        assert!(why.starts_with("parse error"), "{why}");
    }
}

#[test]
fn times_are_nanoseconds_seconds_or_dates() {
    let parameters =
        Parameters::parse(Some("a=1767225600000000000&b=1767225600&c=2026-01-01T00:00:00Z&d=1767225600.5"));
    let wanted = time("2026-01-01T00:00:00Z");
    for name in ["a", "b", "c"] {
        assert_eq!(parameters.time(name).ok().unwrap(), Some(wanted), "{name}");
    }
    assert_eq!(parameters.time("d").ok().unwrap().unwrap().as_millisecond(), wanted.as_millisecond() + 500);
    assert!(parameters.time("e").is_ok_and(|time| time.is_none()));
    assert!(Parameters::parse(Some("a=soon")).time("a").is_err());
}

proptest! {
    #[test]
    fn no_query_ends_the_program(text in "[{}()|=~!\"`\\\\a-z0-9, \\[\\]]{0,40}") {
        drop(parse::query(&text));
    }

    #[test]
    fn any_text_is_found_by_itself(text in "[^\n\r]{1,30}") {
        let quoted = text.replace('\\', "\\\\").replace('"', "\\\"");
        let Ok(Query::Lines(query)) = parse::query(&format!("{{namespace=\"shop\"}} |= \"{quoted}\"")) else {
            return Err(TestCaseError::fail("it was refused"));
        };
        let streams = streams::of(&[log("a", false, &format!("2026-01-01T00:00:01Z {text}\n"))]);
        let found = query.lines(&streams, Timestamp::MIN, Timestamp::MAX, true, 9);
        prop_assert_eq!(found.len(), 1);
    }
}

#[tokio::test]
async fn a_step_that_would_give_points_without_end_is_refused() {
    let mut bundle = crate::demo_bundle().unwrap();
    bundle.kubernetes.logs.clear();
    let server = Arc::new(Server { bundle: Arc::new(bundle), streams: OnceLock::new() });
    let asked = |step: &str| {
        let query = format!("query=rate({{namespace%3D%22shop%22}}[1m])&start=1764000000&end=1764003600&step={step}");
        range(State(Arc::clone(&server)), RawQuery(Some(query)))
    };
    let refused = asked("0.000001").await.unwrap_err();
    assert!(refused.0.starts_with("exceeded maximum resolution of 11,000 points"), "{refused:?}");
    assert!(asked("15").await.is_ok());
}
