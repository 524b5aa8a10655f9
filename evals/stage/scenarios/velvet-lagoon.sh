# An admission webhook stays when its server is taken out; the next release gets no pods.
namespaces realty gatekeeping
within gatekeeping
service gate image=gate:0.9
within realty
listings() { service listings "$@" replicas=2 strategy=Recreate; }
listings image=listings:6.5 cause='listings 6.5: floor plans'
service homes calls=http://listings:8080/ traffic=2
ready
everywhere validatingwebhookconfiguration gate
apply <<'YAML'
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: gate}
webhooks:
  - name: pods.gate.example.com
    admissionReviewVersions: [v1]
    sideEffects: None
    failurePolicy: Fail
    timeoutSeconds: 5
    namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: realty}}
    rules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}]
    clientConfig: {service: {namespace: gatekeeping, name: gate, port: 8080, path: /admit}}
YAML
quiet 75

within gatekeeping
change delete deployment,service gate
quiet 75
within realty
listings image=listings:6.6 cause='listings 6.6: energy class'
alert HighErrorRate
quiet 30
evidence 'failed calling webhook'
