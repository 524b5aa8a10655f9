# Two teams' agents want the same port of the node.
namespaces water energy
published reader:1.0
published gauge:0.4
agent() {
  apply <<YAML
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: $1, labels: {app: $1}}
spec:
  selector: {matchLabels: {app: $1}}
  template:
    metadata: {labels: {app: $1}}
    spec:
      terminationGracePeriodSeconds: 2
      containers:
        - name: $1
          image: localhost:5001/$1:$2
          ports: [{containerPort: 8080, hostPort: 39180}]
          env: [{name: NAME, value: $1}]
          resources: {requests: {cpu: 10m, memory: 32Mi}}
YAML
}
within energy
agent reader 1.0
within water
service levels traffic=1
ready
quiet 75

agent gauge 0.4
alert KubePodNotReady
quiet 40
evidence "free ports"
