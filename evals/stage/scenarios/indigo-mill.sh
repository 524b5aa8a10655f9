# The replicas of a StatefulSet look for their first peer under a name that is not there.
namespaces telecom
settings switch-settings FIRST_PEER=switch-0.switch SHARDS=3
published switch:2.0
apply <<'YAML'
apiVersion: v1
kind: Service
metadata: {name: switch}
spec: {clusterIP: None, selector: {app: switch}, ports: [{port: 8080}]}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: switch, labels: {app: switch}}
spec:
  serviceName: switch
  replicas: 3
  selector: {matchLabels: {app: switch}}
  template:
    metadata: {labels: {app: switch}, annotations: {prometheus.io/scrape: "true"}}
    spec:
      terminationGracePeriodSeconds: 2
      containers:
        - name: switch
          image: localhost:5001/switch:2.0
          ports: [{containerPort: 8080}]
          envFrom: [{configMapRef: {name: switch-settings}}]
          env: [{name: NAME, value: switch}]
          command:
            - sh
            - -c
            - |
              case $(hostname) in
                switch-0) echo "this is the first peer" ;;
                *) wget -q -O /dev/null "http://$FIRST_PEER:8080/healthz" || { echo "cannot join the first peer"; exit 1; } ;;
              esac
              exec /workload
          readinessProbe: {httpGet: {path: /healthz, port: 8080}, periodSeconds: 2}
YAML
ready
quiet 75

settings switch-settings FIRST_PEER=switch-0.switch-peers SHARDS=3
quiet 15
change rollout restart statefulset/switch
alert KubePodCrashLooping
quiet 30
evidence 'bad address .switch-0.switch-peers'
