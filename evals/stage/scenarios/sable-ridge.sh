# What lists the routes may not any more: its RoleBinding is gone.
namespaces fleet
apply <<'YAML'
apiVersion: v1
kind: ServiceAccount
metadata: {name: route-reader}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: route-reader}
rules:
  - {apiGroups: [""], resources: [configmaps], verbs: [get, list]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: route-readers}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: route-reader}
subjects: [{kind: ServiceAccount, name: route-reader, namespace: fleet}]
YAML
settings routes-north stops=14
settings routes-south stops=9
program='
while kubectl get configmaps -o name >/tmp/routes 2>/tmp/why; do echo "$(grep -c routes /tmp/routes) routes loaded"; sleep 12; done
cat /tmp/why
echo "planner stops: the routes cannot be loaded"
exit 1'
worker planner image=planner:3.3 base=kubectl run="$program" account=route-reader memory=128Mi
ready
quiet 90

change delete rolebinding route-readers
alert KubePodCrashLooping
quiet 30
evidence 'cannot list resource'
