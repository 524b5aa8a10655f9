# A policy of the cluster refuses pods without an owner; one that is evicted does not come back.
namespaces insurance
service claims image=claims:8.8 traffic=1
service advisers calls=http://claims:8080/ traffic=1
ready
quiet 75

everywhere validatingadmissionpolicy workload-ownership
everywhere validatingadmissionpolicybinding workload-ownership-insurance
apply <<'YAML'
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: workload-ownership}
spec:
  failurePolicy: Fail
  matchConstraints:
    resourceRules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}]
  validations:
    - expression: "has(object.metadata.labels) && 'owner' in object.metadata.labels"
      message: every pod needs a label owner
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: workload-ownership-insurance}
spec:
  policyName: workload-ownership
  validationActions: [Deny]
  matchResources: {namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: insurance}}}
YAML
quiet 45
evict claims
alert KubeDeploymentReplicasMismatch
alert HighErrorRate service=advisers
quiet 20
evidence 'every pod needs a label owner'
