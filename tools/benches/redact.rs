//! How fast redaction is, on text as it comes. `cargo bench -p marple-tools --bench redact`

use std::fmt::Write;

use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use marple_tools::Redact;
use marple_tools::redact::{RedactConfig, Redactor};

fn main() {
    divan::main();
}

/// About this much of each.
const SIZE: usize = 1 << 20;

/// Lines of services and of controllers, a secret in one of a hundred and a word about one in one of ten.
fn logs() -> String {
    let mut text = String::new();
    for line in 0.. {
        if text.len() >= SIZE {
            break;
        }
        let (second, id) = (line % 60, line * 7919 % 65_536);
        let _ = match line % 100 {
            7 => writeln!(
                text,
                "2026-01-02T03:04:{second:02}.123Z INFO connecting to postgres://shop:hunter{id}@db.shop:5432/shop"
            ),
            27 => writeln!(
                text,
                "2026-01-02T03:04:{second:02}.123Z WARN retry request_id={id:08x} token refresh took {second} ms"
            ),
            n if n % 10 == 3 => writeln!(
                text,
                "E0102 03:04:{second:02}.678901       1 controller.go:{id}] \"Unhandled Error\" err=\"secret \\\"db-{id:x}\\\" not found\" pod=\"shop/cart-7d9f8b6c5-x2x9z\""
            ),
            n if n % 3 == 0 => writeln!(
                text,
                "10.244.0.{second} - - [02/Jan/2026:03:04:{second:02} +0000] \"GET /api/v1/products/{id}?page=2&size=50 HTTP/1.1\" 200 {id} \"-\" \"Go-http-client/1.1\" 0.0{second}"
            ),
            n if n % 3 == 1 => writeln!(
                text,
                "{{\"level\":\"info\",\"ts\":\"2026-01-02T03:04:{second:02}.123Z\",\"logger\":\"checkout\",\"msg\":\"order placed\",\"order\":\"{id:08x}\",\"items\":{second},\"duration\":\"{id}us\"}}"
            ),
            _ => writeln!(
                text,
                "2026-01-02 03:04:{second:02},123 DEBUG [pool-2-thread-{second}] c.e.shop.CartService - loaded cart {id} with {second} items in {second} ms"
            ),
        };
    }
    text
}

/// Pods as `kubectl get -o yaml` shows them.
fn manifests() -> String {
    let mut text = String::new();
    for pod in 0.. {
        if text.len() >= SIZE {
            break;
        }
        let _ = write!(
            text,
            "apiVersion: v1\nkind: Pod\nmetadata:\n  labels:\n    app: cart\n    pod-template-hash: 7d9f8b6c5\n  name: cart-7d9f8b6c5-{pod:05}\n  namespace: shop\n  uid: 0b8f7c1e-2d3a-4b5c-8d9e-{pod:012x}\nspec:\n  containers:\n  - env:\n    - name: DB_PASSWORD\n      valueFrom:\n        secretKeyRef:\n          key: password\n          name: db-credentials\n    - name: DB_URL\n      value: postgres://shop:{pod}hunter@db:5432/shop\n    image: registry.local/shop/cart:1.2.3@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\n    imagePullPolicy: IfNotPresent\n    name: app\n    ports:\n    - containerPort: 8080\n      protocol: TCP\n    resources:\n      limits:\n        memory: 64Mi\n    volumeMounts:\n    - mountPath: /var/run/secrets/kubernetes.io/serviceaccount\n      name: kube-api-access-x2x9z\n      readOnly: true\n  tolerations:\n  - effect: NoExecute\n    key: node.kubernetes.io/not-ready\n    operator: Exists\nstatus:\n  phase: Running\n---\n"
        );
    }
    text
}

/// Pods as the API server returns them: a list on one line.
fn objects() -> String {
    let mut text = String::from("{\"apiVersion\":\"v1\",\"items\":[");
    for pod in 0.. {
        if text.len() >= SIZE {
            break;
        }
        let _ = write!(
            text,
            r#"{{"metadata":{{"creationTimestamp":"2026-01-02T03:04:05Z","generateName":"cart-7d9f8b6c5-","labels":{{"app":"cart","pod-template-hash":"7d9f8b6c5"}},"name":"cart-7d9f8b6c5-{pod:05}","namespace":"shop","ownerReferences":[{{"apiVersion":"apps/v1","controller":true,"kind":"ReplicaSet","name":"cart-7d9f8b6c5","uid":"5e4d3c2b-1a0f-4e8d-9c7b-6a5f4e3d2c1b"}}],"uid":"0b8f7c1e-2d3a-4b5c-8d9e-{pod:012x}"}},"spec":{{"containers":[{{"env":[{{"name":"DB_PASSWORD","valueFrom":{{"secretKeyRef":{{"key":"password","name":"db-credentials"}}}}}},{{"name":"DB_URL","value":"postgres://shop:{pod}hunter@db:5432/shop"}},{{"name":"LOG_LEVEL","value":"info"}}],"image":"registry.local/shop/cart:1.2.3@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08","imagePullPolicy":"IfNotPresent","name":"app","ports":[{{"containerPort":8080,"protocol":"TCP"}}],"volumeMounts":[{{"mountPath":"/var/run/secrets/kubernetes.io/serviceaccount","name":"kube-api-access-x2x9z","readOnly":true}}]}}],"serviceAccountName":"cart","tolerations":[{{"effect":"NoExecute","key":"node.kubernetes.io/not-ready","operator":"Exists"}}],"volumes":[{{"name":"kube-api-access-x2x9z","projected":{{"sources":[{{"serviceAccountToken":{{"expirationSeconds":3607,"path":"token"}}}},{{"configMap":{{"items":[{{"key":"ca.crt","path":"ca.crt"}}],"name":"kube-root-ca.crt"}}}}]}}}}]}},"status":{{"phase":"Running","podIP":"10.244.1.7"}}}},"#
        );
    }
    text.pop();
    text + "],\"kind\":\"PodList\"}"
}

/// Alerts as the intake reads them, each of about 1.5 KB, about as much in all; none holds a secret.
fn alerts() -> Vec<String> {
    let one = |pod: usize| {
        let address = pod % 250;
        format!(
            "alertname: KubePodCrashLooping\ncluster: eu-central-1-prod\ncontainer: app\nendpoint: http\ninstance: 10.244.1.{address}:8080\njob: kube-state-metrics\nnamespace: shop\npod: cart-7d9f8b6c5-{pod:05}\nprometheus: monitoring/k8s\nreason: CrashLoopBackOff\nservice: kube-prometheus-stack-kube-state-metrics\nseverity: warning\nuid: 0b8f7c1e-2d3a-4b5c-8d9e-{pod:012x}\n"
        ) + &[
            ("description", &*format!("Pod shop/cart-7d9f8b6c5-{pod:05} (app) is in waiting state (reason: \"CrashLoopBackOff\") on cluster eu-central-1-prod for more than 15 minutes.")),
            ("runbook_url", "https://runbooks.prometheus-operator.dev/runbooks/kubernetes/kubepodcrashlooping"),
            ("summary", "Pod is crash looping."),
            ("dashboard", "https://grafana.example.com/d/6581e46e4e5c7ba40a07646395ef7b23/kubernetes-compute-resources-pod?var-namespace=shop"),
        ]
        .map(|(name, text)| format!("{name}: {text}\n{text}\n"))
        .concat()
            + &format!("http://prometheus-k8s-0:9090/graph?g0.expr=max_over_time%28kube_pod_container_status_waiting_reason%7Breason%3D%22CrashLoopBackOff%22%2C+job%3D%22kube-state-metrics%22%2C+namespace%3D~%22.%2A%22%7D%5B5m%5D%29+%3E%3D+1&g0.tab=1\ncart-7d9f8b6c5-{pod:05}\nshop\nKubePodCrashLooping")
    };
    (0..SIZE / 1_500).map(one).collect()
}

#[expect(clippy::expect_used, reason = "a benchmark may end here")]
fn redactor() -> Redactor {
    Redactor::new(&RedactConfig::default()).expect("the default configuration is valid")
}

fn bench(bencher: Bencher<'_, '_>, text: &str) {
    let redactor = redactor();
    bencher.counter(BytesCount::of_str(text)).bench(|| redactor.redact(black_box(text)));
}

#[divan::bench]
fn typical_logs(bencher: Bencher<'_, '_>) {
    bench(bencher, &logs());
}

#[divan::bench]
fn pods_as_yaml(bencher: Bencher<'_, '_>) {
    bench(bencher, &manifests());
}

#[divan::bench]
fn pods_as_json_on_one_line(bencher: Bencher<'_, '_>) {
    bench(bencher, &objects());
}

/// One call an alert, as at the intake; 699 alerts a run.
#[divan::bench]
fn alerts_one_by_one(bencher: Bencher<'_, '_>) {
    let (redactor, alerts) = (redactor(), alerts());
    let bytes: usize = alerts.iter().map(String::len).sum();
    bencher.counter(BytesCount::new(bytes)).bench(|| {
        let told = |alert: &&String| redactor.without_secrets(black_box(alert)).is_some();
        alerts.iter().filter(told).count()
    });
}

/// A line that one wrote to have it read anew at each name.
#[divan::bench]
fn a_line_made_to_be_slow(bencher: Bencher<'_, '_>) {
    bench(bencher, &"key: [".repeat(SIZE / 6));
}
