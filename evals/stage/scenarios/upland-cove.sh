# A release cannot be applied: the ConfigMap that it changes may not be changed.
namespaces university
service courses image=courses:5.0 traffic=1
apply <<'YAML'
apiVersion: v1
kind: ConfigMap
metadata: {name: courses-settings}
data: {TERM: winter, SEATS: "40"}
immutable: true
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: deployer}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: deployer}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: edit}
subjects: [{kind: ServiceAccount, name: deployer, namespace: university}]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: release-5-1}
data:
  settings.yaml: |
    apiVersion: v1
    kind: ConfigMap
    metadata: {name: courses-settings}
    data: {TERM: spring, SEATS: "60"}
    immutable: true
YAML
ready
quiet 75

published release:1.0 kubectl
apply <<'YAML'
apiVersion: batch/v1
kind: Job
metadata: {name: release-5-1}
spec:
  backoffLimit: 1
  template:
    spec:
      serviceAccountName: deployer
      restartPolicy: Never
      volumes: [{name: release, configMap: {name: release-5-1}}]
      containers:
        - name: release
          image: localhost:5001/release:1.0
          command: [sh, -c, "echo applying release 5.1; kubectl apply -f /release/settings.yaml"]
          volumeMounts: [{name: release, mountPath: /release}]
YAML
alert KubeJobFailed
quiet 30
evidence 'field is immutable'
