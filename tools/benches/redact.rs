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

/// Pods as the API server returns them.
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

fn bench(bencher: Bencher<'_, '_>, text: &str) {
    #[expect(clippy::expect_used, reason = "a benchmark may end here")]
    let redactor = Redactor::new(&RedactConfig::default()).expect("the default configuration is valid");
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
