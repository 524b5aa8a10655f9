# A namespace that somebody deleted does not go: a finalizer in it is nobody's any more.
namespaces exports-2025 exports
within exports
service exporter image=exporter:3.0 traffic=1
within exports-2025
service exporter image=exporter:2.4 traffic=1
apply <<'YAML'
apiVersion: v1
kind: ConfigMap
metadata: {name: ledger-of-exports, finalizers: [exports.example.com/uploaded]}
data: {last: "2025-12-31", uploaded: "yes"}
YAML
ready
quiet 60

kubectl delete namespace exports-2025 --wait=false >/dev/null
quiet 100
evidence 'exports.example.com/uploaded in 1 resource instances'
