# A maintenance Job may not evict a pod: the budget wants as many as there are.
namespaces operations toll
within toll
service barriers image=barriers:2.0 replicas=3
apply <<'YAML'
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: barriers}
spec: {minAvailable: 2, selector: {matchLabels: {app: barriers}}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: rotation}
rules:
  - {apiGroups: [""], resources: [pods], verbs: [get, list]}
  - {apiGroups: [""], resources: [pods/eviction], verbs: [create]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: rotation}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: rotation}
subjects: [{kind: ServiceAccount, name: rotation, namespace: operations}]
YAML
ready
quiet 60

change scale deployment/barriers --replicas 2
quiet 45
published rotation:1.2 kubectl
within operations
change create serviceaccount rotation
apply <<'YAML'
apiVersion: batch/v1
kind: Job
metadata: {name: rotation}
spec:
  backoffLimit: 0
  template:
    spec:
      serviceAccountName: rotation
      restartPolicy: Never
      containers:
        - name: rotation
          image: localhost:5001/rotation:1.2
          command:
            - sh
            - -c
            - |
              pod=$(kubectl -n toll get pods -l app=barriers -o jsonpath='{.items[0].metadata.name}')
              printf '{"apiVersion":"policy/v1","kind":"Eviction","metadata":{"name":"%s","namespace":"toll"}}' "$pod" >/tmp/eviction
              until kubectl create --raw "/api/v1/namespaces/toll/pods/$pod/eviction" -f /tmp/eviction; do
                echo "pod $pod was not evicted, trying again in 10 s"; sleep 10
              done
              echo "pod $pod is evicted, going on"
YAML
log job/rotation 'trying again'
quiet 75
evidence 'disruption budget'
