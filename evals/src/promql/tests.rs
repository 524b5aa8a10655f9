//! Values computed by hand from the rules of the language.

#![allow(clippy::float_cmp)]

use marple_core::Labels;

use super::*;
use crate::bundle::{STALE, Sample, Series};

/// A series with a sample every ten seconds from zero; `-` leaves one out, `s` marks the end.
fn series(labels: &str, values: &str) -> Series {
    let labels: Labels = labels.split(',').filter_map(|pair| pair.split_once('=')).collect();
    let samples = values.split_whitespace().enumerate().filter_map(|(index, text)| {
        let at = i64::try_from(index).unwrap() * 10_000;
        match text {
            "-" => None,
            "s" => Some(Sample { at, value: STALE }),
            text => Some(Sample { at, value: text.parse().unwrap() }),
        }
    });
    Series { labels: labels.into(), samples: samples.collect::<Vec<_>>().into() }
}

fn store() -> Store {
    let mut all = vec![
        series("__name__=requests_total,job=api,pod=a", "0 10 20 30 40 50 60"),
        series("__name__=requests_total,job=api,pod=b", "100 110 120 5 15 25 35"),
        series("__name__=requests_total,job=web,pod=c", "7 7 7 7 7 7 7"),
        series("__name__=temperature,pod=a", "1 3 2 -4 NaN 6 6"),
        series("__name__=gone,pod=a", "1 1 1 s"),
        series("__name__=sparse,pod=a", "1 - - 4 - - 7"),
        series("__name__=limit,pod=a,team=x", "10 10 10 10 10 10 10"),
        series("__name__=limit,pod=b,team=y", "70 70 70 70 70 70 70"),
        series("__name__=info,pod=a,version=1.0", "1 1 1 1 1 1 1"),
        series("__name__=info,pod=b,version=2.0", "1 1 1 1 1 1 1"),
        series("__name__=took_bucket,pod=a,le=0.1", "0 0 0 0 0 0 10"),
        series("__name__=took_bucket,pod=a,le=0.5", "0 0 0 0 0 0 30"),
        series("__name__=took_bucket,pod=a,le=1", "0 0 0 0 0 0 30"),
        series("__name__=took_bucket,pod=a,le=+Inf", "0 0 0 0 0 0 40"),
    ];
    all.sort_by(|a, b| a.labels.cmp(&b.labels));
    Store::new(&all, 10_000)
}

/// The elements at 60 s as text, `labels value`, sorted.
fn at_sixty(query: &str) -> Vec<String> {
    at(query, 60_000)
}

fn at(query: &str, at: i64) -> Vec<String> {
    let shown = |element: &Element| {
        let labels: Vec<String> = element.labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
        format!("{} {}", labels.join(","), number::json(element.value))
    };
    match store().instant(query, at) {
        Ok(Result::Vector(elements)) => elements.iter().map(shown).collect(),
        Ok(Result::Scalar(value)) => vec![number::json(value)],
        Ok(other) => vec![format!("{other:?}")],
        Err(error) => vec![error.to_string()],
    }
}

#[test]
fn a_selector_finds_the_latest_sample_no_older_than_five_minutes() {
    assert_eq!(at("sparse", 29_999), ["__name__=sparse,pod=a 1"]);
    assert_eq!(at("sparse", 30_000), ["__name__=sparse,pod=a 4"]);
    assert_eq!(at("sparse", 359_999), ["__name__=sparse,pod=a 7"]);
    assert!(at("sparse", 360_000).is_empty(), "the lookback is open to the left");
    assert!(at("sparse", -1).is_empty());
}

#[test]
fn a_marker_of_staleness_ends_a_series_at_once() {
    assert_eq!(at("gone", 29_999), ["__name__=gone,pod=a 1"]);
    assert!(at("gone", 30_000).is_empty());
    assert_eq!(at("count_over_time(gone[1m])", 30_000), ["pod=a 3"]);
}

#[test]
fn matchers_select_by_text_and_by_pattern_and_an_absent_label_is_empty() {
    assert_eq!(at_sixty("requests_total{job=\"api\",pod!=\"a\"}"), ["__name__=requests_total,job=api,pod=b 35"]);
    assert_eq!(at_sixty("count({pod=~\"a|b\",team=\"\"})"), [" 10"]);
    assert_eq!(at_sixty("{__name__=~\"req.*\",job!~\"a.*\"}"), ["__name__=requests_total,job=web,pod=c 7"]);
}

#[test]
fn offset_and_at_move_the_moment() {
    assert_eq!(at_sixty("sparse offset 20s"), ["__name__=sparse,pod=a 4"]);
    assert_eq!(at_sixty("sparse @ 20"), ["__name__=sparse,pod=a 1"]);
    assert_eq!(at("sparse offset -30s", 0), ["__name__=sparse,pod=a 4"]);
    assert_eq!(
        at_sixty("requests_total{pod=\"a\"} @ end() - requests_total{pod=\"a\"} @ start() "),
        ["job=api,pod=a 0"]
    );
}

#[test]
fn a_rate_is_extended_to_the_ends_of_its_window_where_samples_come_close() {
    // Samples at 30 … 60 in (20, 60]: rose 30 in 30 s; the ten seconds before are filled in.
    assert_eq!(at_sixty("increase(requests_total{pod=\"a\"}[40s])"), ["job=api,pod=a 40"]);
    assert_eq!(at_sixty("rate(requests_total{pod=\"a\"}[40s])"), ["job=api,pod=a 1"]);
    // The window ends 25 s after the last sample: extended by half a gap there, and fully at the start.
    assert_eq!(at("increase(requests_total{pod=\"a\"}[40s])", 85_000), ["job=api,pod=a 20"]);
    assert_eq!(at_sixty("increase(sparse[5s])"), Vec::<String>::new());
}

#[test]
fn a_counter_that_falls_began_anew_and_is_never_extended_below_zero() {
    // 110 120 5 15 25 35 in (0, 60]: fell once. Rose 35 - 110 + 120 = 45 in 50 s; extended by 10 s: 54.
    assert_eq!(at_sixty("increase(requests_total{pod=\"b\"}[1m])"), ["job=api,pod=b 54"]);
    // From 0 at time 0: extending five seconds to the left would go below zero, so nothing is added there.
    assert_eq!(at("increase(requests_total{pod=\"a\"}[35s])", 30_000), ["job=api,pod=a 30"]);
    assert_eq!(at_sixty("resets(requests_total[2m])"), ["job=api,pod=a 0", "job=api,pod=b 1", "job=web,pod=c 0"]);
}

#[test]
fn a_gauge_may_fall_and_the_last_two_samples_give_the_instant_slope() {
    // Rose 6 in 60 s, and began inside the window: extended by half a gap, 15 s.
    assert_eq!(at_sixty("delta(sparse[2m])"), ["pod=a 7.5"]);
    assert_eq!(at_sixty("irate(requests_total{job=\"api\"}[1m])"), ["job=api,pod=a 1", "job=api,pod=b 1"]);
    assert_eq!(at("irate(requests_total{pod=\"b\"}[1m])", 30_000), ["job=api,pod=b 0.5"]);
    assert_eq!(at("idelta(requests_total{pod=\"b\"}[1m])", 30_000), ["job=api,pod=b -115"]);
}

#[test]
fn a_line_through_the_points_gives_slope_and_prediction() {
    assert_eq!(at_sixty("deriv(sparse[2m])"), ["pod=a 0.1"]);
    assert_eq!(at_sixty("predict_linear(sparse[2m], 30)"), ["pod=a 10"]);
    assert_eq!(at_sixty("deriv(requests_total{pod=\"c\"}[1m])"), ["job=web,pod=c 0"]);
}

#[test]
fn functions_over_time_see_every_sample_of_the_range() {
    for (function, value) in [
        ("avg_over_time", "4"),
        ("min_over_time", "1"),
        ("max_over_time", "7"),
        ("sum_over_time", "12"),
        ("count_over_time", "3"),
        ("stdvar_over_time", "6"),
        ("changes", "2"),
        ("present_over_time", "1"),
    ] {
        assert_eq!(at_sixty(&format!("{function}(sparse[2m])")), [format!("pod=a {value}")], "{function}");
    }
    assert_eq!(at_sixty("quantile_over_time(0.25, sparse[2m])"), ["pod=a 2.5"]);
    assert_eq!(at_sixty("last_over_time(sparse[2m])"), ["__name__=sparse,pod=a 7"]);
    assert_eq!(at_sixty("max_over_time(temperature[2m])"), ["pod=a 6"]);
    assert_eq!(at_sixty("changes(temperature[2m])"), ["pod=a 5"]);
    assert_eq!(at_sixty("count_over_time(sparse[60s])"), ["pod=a 2"], "a range is open to the left");
}

#[test]
fn aggregations_group_by_and_without() {
    assert_eq!(at_sixty("sum(requests_total)"), [" 102"]);
    assert_eq!(at_sixty("sum by (job) (requests_total)"), ["job=api 95", "job=web 7"]);
    assert_eq!(at_sixty("sum without (pod) (requests_total)"), ["job=api 95", "job=web 7"]);
    assert_eq!(at_sixty("avg(requests_total)"), [" 34"]);
    assert_eq!(at_sixty("min(requests_total)"), [" 7"]);
    assert_eq!(at_sixty("max(requests_total)"), [" 60"]);
    assert_eq!(at_sixty("count by (__name__) (limit)"), ["__name__=limit 2"]);
    assert_eq!(at_sixty("group(limit)"), [" 1"]);
    assert_eq!(at_sixty("stdvar(limit)"), [" 900"]);
    assert_eq!(at_sixty("stddev(limit)"), [" 30"]);
    assert_eq!(at_sixty("quantile(0.5, requests_total)"), [" 35"]);
    assert_eq!(at_sixty("count_values(\"value\", info)"), ["value=1 2"]);
    assert!(at_sixty("sum(missing)").is_empty());
}

#[test]
fn the_top_and_bottom_keep_their_labels_and_order() {
    assert_eq!(
        at_sixty("topk(2, requests_total)"),
        ["__name__=requests_total,job=api,pod=a 60", "__name__=requests_total,job=api,pod=b 35"]
    );
    assert_eq!(
        at_sixty("bottomk by (job) (1, requests_total)"),
        ["__name__=requests_total,job=api,pod=b 35", "__name__=requests_total,job=web,pod=c 7"]
    );
    assert!(at_sixty("topk(0, requests_total)").is_empty());
    assert_eq!(at_sixty("sort_desc(limit)"), ["__name__=limit,pod=b,team=y 70", "__name__=limit,pod=a,team=x 10"]);
}

#[test]
fn arithmetic_drops_the_name_and_comparison_keeps_it() {
    assert_eq!(at_sixty("limit / 10"), ["pod=a,team=x 1", "pod=b,team=y 7"]);
    assert_eq!(at_sixty("2 ^ limit{pod=\"a\"} % 7"), ["pod=a,team=x 2"], "powers bind closer than remainders");
    assert_eq!(at_sixty("limit > 10"), ["__name__=limit,pod=b,team=y 70"]);
    assert_eq!(at_sixty("10 < limit"), ["__name__=limit,pod=b,team=y 70"]);
    assert_eq!(at_sixty("limit > bool 10"), ["pod=a,team=x 0", "pod=b,team=y 1"]);
    assert_eq!(at_sixty("1 + 2 * 3 == bool 7"), ["1"]);
    assert_eq!(at_sixty("-limit{pod=\"a\"}"), ["pod=a,team=x -10"]);
}

#[test]
fn vectors_are_matched_by_labels() {
    assert_eq!(at_sixty("requests_total{job=\"api\"} / on (pod) limit"), ["pod=a 6", "pod=b 0.5"]);
    assert_eq!(
        at_sixty("requests_total{job=\"api\"} < on (pod) limit"),
        ["pod=b 35"],
        "one to one, only the labels that match are left"
    );
    assert_eq!(
        at_sixty("requests_total * on (pod) group_left (version) info"),
        ["job=api,pod=a,version=1.0 60", "job=api,pod=b,version=2.0 35"]
    );
    assert_eq!(at_sixty("info * on (pod) group_right () requests_total"), ["job=api,pod=a 60", "job=api,pod=b 35"]);
    assert_eq!(at_sixty("limit - ignoring (team, version) info"), ["pod=a 9", "pod=b 69"]);
}

#[test]
fn a_match_that_is_not_unique_is_an_error() {
    assert_eq!(
        at_sixty("limit / on () info"),
        ["found duplicate series for the match group {} on the right hand-side of the operation: \
          [info{pod=\"a\", version=\"1.0\"}, info{pod=\"b\", version=\"2.0\"}];\
          many-to-many matching not allowed: matching labels must be unique on one side"]
    );
    assert_eq!(
        at_sixty("limit / on () sparse"),
        ["multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)"]
    );
    assert_eq!(at_sixty("{__name__=~\"limit|info\",pod=\"a\"} * 0 + 1"), ["pod=a,version=1.0 1", "pod=a,team=x 1"]);
    assert_eq!(at_sixty("rate({__name__=~\"sparse|gone\"}[1m])").len(), 1);
    assert_eq!(
        at_sixty("abs({__name__=~\"sparse|temperature\"})"),
        ["vector cannot contain metrics with the same labelset"]
    );
}

#[test]
fn what_stands_twice_on_one_side_is_no_fault_where_the_other_is_empty() {
    assert!(at_sixty("missing / on () info").is_empty());
    assert!(at_sixty("info * on () group_right () missing").is_empty());
}

#[test]
fn of_equal_values_those_are_at_the_top_that_prometheus_keeps() {
    // Three of one value and a higher one: the heap gives up its top, which is the first.
    let query = "topk(2, label_replace(vector(1), \"a\", \"1\", \"\", \"\") or label_replace(vector(1), \"a\", \"2\", \"\", \"\") \
                 or label_replace(vector(1), \"a\", \"3\", \"\", \"\") or label_replace(vector(2), \"a\", \"4\", \"\", \"\"))";
    assert_eq!(at_sixty(query), ["a=4 2", "a=2 1"]);
    assert_eq!(at_sixty(&query.replace("topk", "bottomk")), ["a=1 1", "a=2 1"]);
}

#[test]
fn a_query_without_end_is_refused_before_it_is_evaluated() {
    let too_many = "query processing would load too many samples into memory in query execution";
    assert_eq!(at_sixty("count_over_time(vector(1)[1000y:1ms])"), [too_many]);
    assert_eq!(at_sixty("count_over_time(missing[1000y:1ms])"), [too_many]);
    assert!(store().range("vector(1)", i64::MIN, i64::MAX, 1).is_err());
    let store = store();
    let late = evaluate::Evaluation::until(&store, std::time::Instant::now());
    assert!((0..1_000).any(|_| late.step() == Err(QueryError::Timeout)));
}

#[test]
fn sets_are_joined_cut_and_subtracted() {
    assert_eq!(at_sixty("requests_total and on (pod) limit{team=\"x\"}"), ["__name__=requests_total,job=api,pod=a 60"]);
    assert_eq!(at_sixty("requests_total unless on (pod) limit"), ["__name__=requests_total,job=web,pod=c 7"]);
    assert_eq!(at_sixty("sparse or on (pod) limit"), ["__name__=sparse,pod=a 7", "__name__=limit,pod=b,team=y 70"]);
    assert_eq!(at_sixty("missing or vector(3)"), [" 3"]);
}

#[test]
fn absence_tells_the_labels_that_were_asked_for() {
    assert_eq!(at_sixty("absent(missing{job=\"x\",pod=~\"a.*\"})"), ["job=x 1"]);
    assert!(at_sixty("absent(limit)").is_empty());
    assert_eq!(at_sixty("absent_over_time(gone{pod=\"a\"}[20s])"), ["pod=a 1"]);
    assert_eq!(at_sixty("absent(sum(missing{job=\"x\"}))"), [" 1"]);
}

#[test]
fn labels_are_replaced_and_joined() {
    assert_eq!(
        at_sixty("label_replace(limit, \"squad\", \"$1-team\", \"team\", \"(x)\")"),
        ["__name__=limit,pod=a,squad=x-team,team=x 10", "__name__=limit,pod=b,team=y 70"]
    );
    assert_eq!(
        at_sixty("label_join(limit{pod=\"a\"}, \"both\", \"/\", \"pod\", \"team\")"),
        ["__name__=limit,both=a/x,pod=a,team=x 10"]
    );
}

#[test]
fn a_quantile_of_a_histogram_is_found_inside_its_bucket() {
    // Forty observations; the twentieth lies halfway in the bucket that holds ten to thirty.
    assert_eq!(at_sixty("histogram_quantile(0.5, took_bucket)"), ["pod=a 0.30000000000000004"]);
    assert_eq!(at_sixty("histogram_quantile(0.1, took_bucket)"), ["pod=a 0.04000000000000001"]);
    assert_eq!(at_sixty("histogram_quantile(0.99, took_bucket)"), ["pod=a 1"], "the highest bound there is");
    assert_eq!(at_sixty("histogram_quantile(2, took_bucket)"), ["pod=a +Inf"]);
    assert_eq!(at("histogram_quantile(0.5, took_bucket)", 50_000), ["pod=a NaN"]);
}

#[test]
fn numbers_are_clamped_and_rounded() {
    assert_eq!(at_sixty("clamp(limit, 20, 50)"), ["pod=a,team=x 20", "pod=b,team=y 50"]);
    assert!(at_sixty("clamp(limit, 50, 20)").is_empty());
    assert_eq!(at_sixty("clamp_max(limit, 50)"), ["pod=a,team=x 10", "pod=b,team=y 50"]);
    assert_eq!(at_sixty("round(limit{pod=\"b\"} / 3, 0.5)"), ["pod=b,team=y 23.5"]);
    assert_eq!(at_sixty("round(vector(-2.5))"), [" -2"]);
    assert_eq!(at_sixty("sgn(vector(-3))"), [" -1"]);
}

#[test]
fn time_is_that_of_the_evaluation_or_of_the_sample() {
    assert_eq!(at("time()", 61_500), ["61.5"]);
    assert_eq!(at("timestamp(sparse)", 59_000), ["pod=a 30"]);
    assert_eq!(at("timestamp(sparse * 1)", 59_000), ["pod=a 59"]);
    // 2026-02-03T04:05:06Z, a Tuesday.
    let moment = "vector(1770091506)";
    for (function, value) in [
        ("year", "2026"),
        ("month", "2"),
        ("day_of_month", "3"),
        ("day_of_week", "2"),
        ("day_of_year", "34"),
        ("days_in_month", "28"),
        ("hour", "4"),
        ("minute", "5"),
    ] {
        assert_eq!(at_sixty(&format!("{function}({moment})")), [format!(" {value}")], "{function}");
    }
    assert_eq!(at_sixty("minute()"), [" 1"]);
}

#[test]
fn a_subquery_steps_by_multiples_of_its_step() {
    // Evaluated at 30, 40, 50 and 60 s: (25, 60] in steps of ten.
    assert_eq!(at_sixty("count_over_time(sparse[35s:10s])"), ["pod=a 4"]);
    assert_eq!(at_sixty("max_over_time((sparse * 2)[1m:20s])"), ["pod=a 14"]);
    assert_eq!(
        at_sixty("count_over_time(limit{pod=\"a\"}[1m:])"),
        ["pod=a,team=x 6"],
        "without a step, the rules' interval"
    );
    assert_eq!(at_sixty("rate(requests_total{pod=\"a\"}[40s:10s])"), ["job=api,pod=a 1"]);
}

#[test]
fn a_range_query_has_a_point_where_there_is_a_value() {
    let matrix = store().range("gone", 0, 60_000, 15_000).unwrap();
    assert_eq!(matrix.len(), 1);
    assert_eq!(matrix[0].points, [(0, 1.0), (15_000, 1.0)]);
    let scalar = store().range("time()", 0, 2_000, 1_000).unwrap();
    assert_eq!(scalar[0].points, [(0, 0.0), (1_000, 1.0), (2_000, 2.0)]);
}

#[test]
fn queries_that_make_no_sense_or_are_not_supported_are_refused() {
    let refused = |query: &str| matches!(store().instant(query, 0), Err(QueryError::BadData(_)));
    for query in [
        "",
        "sum(",
        "up{",
        "rate(up)",
        "double_exponential_smoothing(up[1m], 0.5, 0.5)",
        "limitk(1, up)",
        "{}",
        "up + on (a) fill (0) down",
    ] {
        assert!(refused(query), "{query}");
    }
    assert_eq!(
        at_sixty("sort_by_label(limit, \"pod\")"),
        ["the function sort_by_label is not supported over a recorded incident"]
    );
    assert!(store().range("limit", 10, 0, 1).is_err());
    assert!(store().range("limit", 0, 20_000_000, 1_000).is_err());
    assert!(store().range("limit[1m]", 0, 1, 1).is_err());
}

#[test]
fn series_are_found_by_selectors_and_times() {
    let store = store();
    assert_eq!(store.select("{pod=\"c\"}", 0, 60_000).unwrap().len(), 1);
    assert!(store.select("gone", 30_000, 60_000).unwrap().is_empty());
    assert!(store.select("sum(gone)", 0, 1).is_err());
}
