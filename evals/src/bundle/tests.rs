//! What is written is read again.

#![allow(clippy::float_cmp)]

use marple_core::{
    Author, ChangeKind, FieldChange, Fingerprint, Labels, ObjectRef, Severity, SignalSource, SignalStatus,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-z\u{e9}\n]{0,4}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn sample_value() -> impl Strategy<Value = f64> {
    prop_oneof![
        Just(0.0),
        Just(-0.0),
        Just(STALE),
        Just(f64::NAN),
        Just(f64::INFINITY),
        any::<f64>().prop_map(|value| {
            // Text knows one NaN beside the marker.
            if value.is_nan() { f64::NAN } else { value }
        })
    ]
}

fn series() -> impl Strategy<Value = Series> {
    let samples = prop::collection::vec((0_i64..100_000, sample_value()), 0..20);
    (prop::collection::btree_map("[a-z_]{1,5}", ".{0,5}", 0..4), samples).prop_map(|(labels, pairs)| {
        let mut at = 1_764_000_000_000;
        let samples = pairs.into_iter().map(|(step, value)| {
            at += step;
            Sample { at, value }
        });
        let labels: Labels = labels.into_iter().collect();
        Series { labels: labels.into(), samples: samples.collect::<Vec<_>>().into() }
    })
}

prop_compose! {
    fn log()(text in "(.{0,9}\n){0,3}", refused in prop::option::of(json_value()), previous in any::<bool>()) -> RecordedLog {
        RecordedLog {
            namespace: "shop".to_owned(),
            pod: "cart-1".to_owned(),
            container: "app".to_owned(),
            previous,
            text,
            // `null` is no answer.
            refused: refused.filter(|value| !value.is_null()),
        }
    }
}

prop_compose! {
    fn resource()(
        objects in prop::collection::vec((json_value(), prop::collection::vec(json_value(), 0..3)), 0..3),
        columns in prop::collection::vec(json_value(), 0..2),
        namespaced in any::<bool>(),
        refused_in in prop::collection::btree_map("[a-z]{1,5}", json_value(), 0..2),
    ) -> RecordedResource {
        RecordedResource {
            group_version: "apps/v1".to_owned(),
            resource: "deployments".to_owned(),
            kind: "Deployment".to_owned(),
            namespaced,
            resource_version: "17".to_owned(),
            columns,
            objects: objects.into_iter().map(|(object, cells)| RecordedObject { object, cells }).collect(),
            refused: None,
            refused_in,
        }
    }
}

prop_compose! {
    fn prometheus()(series in prop::collection::vec(series(), 0..4), rules in json_value(), alerts in json_value()) -> PrometheusState {
        let histograms = series.iter().take(1).map(|one: &Series| one.labels.as_ref().clone()).collect();
        let whole = (!series.is_empty()).then(|| "up|node_.+".to_owned());
        PrometheusState { build: json!({"version": "3"}), evaluation_interval_ms: 5_000, rules, alerts, metadata: json!({}), whole, histograms, series }
    }
}

fn signal(now: Timestamp) -> Signal {
    let labels = [("pod", "cart-1")].into_iter().collect();
    Signal {
        source: SignalSource::Forwarder,
        fingerprint: Fingerprint::of(&labels),
        status: SignalStatus::Firing,
        name: "PodCrashLooping".to_owned(),
        severity: Severity::Warning,
        subject: Some(ObjectRef::namespaced("Pod", "shop", "cart-1")),
        labels,
        annotations: Labels::default(),
        starts_at: now,
        ends_at: None,
        generator_url: None,
    }
}

fn change(now: Timestamp, before: Option<String>) -> Change {
    Change {
        cluster: "test".to_owned(),
        object: ObjectRef::namespaced("ConfigMap", "shop", "settings"),
        uid: "u".to_owned(),
        version: "17".to_owned(),
        at: now,
        found_late: false,
        by: Author::default(),
        kind: ChangeKind::Altered,
        fields: vec![FieldChange { path: "data.timeout".to_owned(), before, after: None }],
        left_out: 0,
    }
}

fn watched(now: Timestamp, object: Value) -> Watched {
    let (group_version, resource) = ("apps/v1".to_owned(), "deployments".to_owned());
    Watched { at: now, group_version, resource, event: WatchEvent::Present, object, cells: Vec::new() }
}

fn access(status: Value) -> RecordedAccess {
    let decision =
        AccessDecision { verb: "get".to_owned(), group: String::new(), resource: "pods/log".to_owned(), status };
    RecordedAccess {
        cluster_wide: true,
        namespaces: ["shop".to_owned()].into(),
        rules: json!({"incomplete": true}),
        decisions: vec![decision],
    }
}

fn trace(now: Timestamp) -> RecordedTrace {
    let span = RecordedSpan {
        id: "b7".to_owned(),
        parent: Some("a7".to_owned()),
        service: "cart".to_owned(),
        name: "GET /cart".to_owned(),
        start: now,
        duration_us: 1_200,
        failure: Some("timeout".to_owned()),
    };
    RecordedTrace { id: "00f7".to_owned(), spans: vec![span] }
}

prop_compose! {
    fn bundle()(
        resources in prop::collection::vec(resource(), 0..3),
        logs in prop::collection::vec(log(), 0..3),
        prometheus in prop::option::of(prometheus()),
        bodies in prop::collection::vec(json_value(), 0..3),
        before in prop::option::of(".{0,9}"),
    ) -> Bundle {
        let now: Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
        Bundle {
            manifest: Manifest {
                recorder: "marple 0".to_owned(),
                cluster: "test".to_owned(),
                recorded_at: now,
                listed_at: Some(now),
                since: now,
                namespaces: ["shop".to_owned()].into(),
                omissions: vec![Omission { what: "metrics".to_owned(), why: "too many".to_owned() }],
            },
            kubernetes: KubernetesState {
                version: json!({}),
                core: json!({}),
                groups: json!({}),
                resources,
                logs,
                watched: vec![watched(now, bodies.first().cloned().unwrap_or_default())],
                access: vec![access(bodies.first().cloned().unwrap_or_default())],
                open_api: vec![OpenApi { path: "apis/apps/v1".to_owned(), document: "{\"openapi\":\"3.0.0\"}".to_owned().try_into().unwrap() }],
            },
            prometheus,
            alertmanager: AlertmanagerState {
                payloads: bodies.iter().cloned().map(|body| Payload { at: now, body }).collect(),
                alerts: bodies,
            },
            signals: vec![signal(now)],
            changes: vec![change(now, before)],
            traces: vec![trace(now)],
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_bundle_is_read_as_it_was_written(bundle in bundle()) {
        let bytes = bundle.to_bytes().unwrap();
        prop_assert_eq!(&Bundle::from_bytes(&bytes).unwrap(), &bundle);
        prop_assert_eq!(bundle.to_bytes().unwrap(), bytes);
    }

    #[test]
    fn a_bundle_that_is_cut_short_is_refused(bundle in bundle(), part in 0.0..1.0_f64) {
        let bytes = bundle.to_bytes().unwrap();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a place in the file")]
        let cut = (bytes.len() as f64 * part) as usize;
        prop_assert!(Bundle::from_bytes(&bytes[..cut]).is_err());
    }

    #[test]
    fn a_bundle_in_which_anything_was_altered_is_refused(bundle in bundle(), at in any::<prop::sample::Index>(), bit in 0..8_u8) {
        let mut bytes = bundle.to_bytes().unwrap();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        // A bit of the frame's head may mean the same to whoever reads it.
        prop_assert!(Bundle::from_bytes(&bytes).map_or(true, |read| read == bundle));
    }
}

fn compressed(lines: &str) -> Vec<u8> {
    zstd::bulk::compress(lines.as_bytes(), 1).unwrap()
}

#[test]
fn another_version_is_refused_by_its_number_whatever_follows() {
    let error = Bundle::from_bytes(&compressed("{\"marple_bundle\":5,\"shape\":\"new\"}\n{}\n")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the bundle has format version 5, and this program reads versions 2 to 4: use the program that recorded it, or record it again"
    );
}

#[test]
fn what_is_no_bundle_is_told_so() {
    for bytes in [b"PK\x03\x04".to_vec(), Vec::new(), compressed("hello\n"), compressed("{\"a\":1}\n")] {
        assert!(matches!(Bundle::from_bytes(&bytes), Err(BundleError::Foreign(_))), "{bytes:?}");
    }
}

#[test]
fn a_run_of_samples_that_would_fill_the_memory_is_refused() {
    let labels = marple_core::Labels::new();
    let manifest = json!({"recorder": "", "cluster": "", "recorded_at": "2026-01-01T00:00:00Z", "since": "2026-01-01T00:00:00Z", "namespaces": []});
    let lines = [
        json!({"marple_bundle": 2, "manifest": manifest}),
        json!({"prometheus": {"build": null, "evaluation_interval_ms": 1, "rules": null, "alerts": null, "metadata": null}}),
        json!({"series": {"labels": labels, "times": [[0, u32::MAX]], "values": [["1", u32::MAX]]}}),
    ];
    let text = lines.map(|line| line.to_string()).join("\n");
    let error = Bundle::from_bytes(&compressed(&text)).unwrap_err();
    assert_eq!(error.to_string(), "line 3 of the bundle: a series has 4294967295 samples, more than 10000000");
    let much = json!({"series": {"labels": labels, "times": [[0, 1], [1, 9_999_999]], "values": [["1", 10_000_000]]}});
    let text = [&text.lines().take(2).collect::<Vec<_>>().join("\n"), &format!("{much}\n").repeat(3)]
        .map(String::as_str)
        .join("\n");
    let error = Bundle::from_bytes(&compressed(&text)).unwrap_err();
    assert_eq!(error.to_string(), "line 5 of the bundle: the series together have more than 20000000 samples");
}

#[test]
fn a_line_that_would_fill_the_memory_is_refused() {
    let head = json!({"marple_bundle": 2, "manifest": {"recorder": "", "cluster": "", "recorded_at": "2026-01-01T00:00:00Z",
        "since": "2026-01-01T00:00:00Z", "namespaces": []}});
    let long = compressed(&format!("{head}\n{}", " ".repeat(65 << 20)));
    assert!(long.len() < 1 << 20, "it is small while it is packed");
    assert!(matches!(Bundle::from_bytes(&long), Err(BundleError::TooLarge)));
}

#[test]
fn values_that_would_fill_the_memory_are_refused_before_they_are_read() {
    let head = json!({"marple_bundle": 2, "manifest": {"recorder": "", "cluster": "", "recorded_at": "2026-01-01T00:00:00Z",
        "since": "2026-01-01T00:00:00Z", "namespaces": []}});
    let zeros = format!("[{}0]", "0,".repeat(6_000_000));
    let payload = format!("{{\"payload\":{{\"at\":\"2026-01-01T00:00:00Z\",\"body\":{zeros}}}}}");
    let bomb = compressed(&format!("{head}\n{payload}\n{payload}\n"));
    assert!(bomb.len() < 1 << 20, "it is small while it is packed");
    assert!(matches!(Bundle::from_bytes(&bomb), Err(BundleError::TooMuch { line: 3 })));
    let wide = compressed(&format!("{{\"marple_bundle\":2,\"manifest\":{zeros},\"more\":{zeros}}}\n"));
    assert!(matches!(Bundle::from_bytes(&wide), Err(BundleError::TooMuch { line: 1 })));
}

#[test]
fn samples_that_are_not_in_order_of_time_are_refused() {
    let manifest = json!({"recorder": "", "cluster": "", "recorded_at": "2026-01-01T00:00:00Z", "since": "2026-01-01T00:00:00Z", "namespaces": []});
    let lines = [
        json!({"marple_bundle": 2, "manifest": manifest}),
        json!({"prometheus": {"build": null, "evaluation_interval_ms": 1, "rules": null, "alerts": null, "metadata": null}}),
        json!({"series": {"labels": {}, "times": [[5_000, 1], [1_000, 2], [-500, 1]], "values": [["1", 4]]}}),
    ];
    let error = Bundle::from_bytes(&compressed(&lines.map(|line| line.to_string()).join("\n"))).unwrap_err();
    assert_eq!(error.to_string(), "line 3 of the bundle: the samples of a series are not in order of time");
}

#[test]
fn a_file_is_written_whole_and_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("one.bundle");
    let missing = Bundle::read(&path).unwrap_err().to_string();
    assert!(missing.contains("one.bundle") && missing.contains("No such file"), "{missing}");
    let now: Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
    let bundle = Bundle {
        manifest: Manifest {
            recorder: "marple".to_owned(),
            cluster: "test".to_owned(),
            recorded_at: now,
            listed_at: None,
            since: now,
            namespaces: std::collections::BTreeSet::new(),
            omissions: Vec::new(),
        },
        kubernetes: KubernetesState::default(),
        prometheus: None,
        alertmanager: AlertmanagerState::default(),
        signals: Vec::new(),
        changes: Vec::new(),
        traces: Vec::new(),
    };
    bundle.write(&path).unwrap();
    assert_eq!(Bundle::read(&path).unwrap(), bundle);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn the_schema_in_the_docs_is_that_of_the_lines() {
    crate::published::assert_published("bundle", &schema());
}
