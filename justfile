# The commands people use. `just` lists them.

[private]
default:
    @just --list

# The main job on embedded defaults: an outage, explained.
demo:
    cargo run --release -- demo

# All tests; raises a Kubernetes cluster where it can.
test:
    ./test

# What CI checks, tests included.
ci:
    .ci/run

# Formats everything.
fmt:
    cargo fmt --all

# Lints as CI does.
lint:
    cargo clippy --workspace --all-targets --locked -- -D warnings

# Dependencies: licences, advisories, sources (needs cargo-deny).
deny:
    cargo deny check

# Raises the test cluster with Prometheus and Alertmanager.
cluster:
    tests/cluster/up --monitoring

# Ends the test cluster and clears its state.
cluster-down:
    tests/cluster/down

# Stages and records incidents of the suite on the test cluster: all, or those named (MARPLE names the program).
record-suite *ids:
    evals/stage/stage {{ids}}

# Accepts changed snapshots after you have read them (needs cargo-insta).
snapshots:
    cargo insta review

# The benchmarks of docs/benchmarks.md.
bench:
    cargo bench --workspace
