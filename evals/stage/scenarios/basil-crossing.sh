# Three pods that must not share a node, and one node.
namespaces hotel
published reception:3.0
apply <<'YAML'
apiVersion: apps/v1
kind: Deployment
metadata: {name: reception, labels: {app: reception}}
spec:
  replicas: 1
  selector: {matchLabels: {app: reception}}
  template:
    metadata: {labels: {app: reception}, annotations: {prometheus.io/scrape: "true"}}
    spec:
      terminationGracePeriodSeconds: 2
      affinity:
        podAntiAffinity:
          requiredDuringSchedulingIgnoredDuringExecution:
            - {topologyKey: kubernetes.io/hostname, labelSelector: {matchLabels: {app: reception}}}
      containers:
        - name: reception
          image: localhost:5001/reception:3.0
          ports: [{containerPort: 8080, name: http}]
          env: [{name: NAME, value: reception}, {name: SELF_TRAFFIC, value: "1"}]
          resources: {requests: {cpu: 10m, memory: 32Mi}}
          readinessProbe: {httpGet: {path: /healthz, port: 8080}, periodSeconds: 2}
YAML
ready
quiet 75

change scale deployment/reception --replicas 3
alert KubeDeploymentReplicasMismatch
quiet 30
evidence "didn't match pod anti-affinity rules"
