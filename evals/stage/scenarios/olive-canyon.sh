# A claim names a class of storage that the cluster does not have.
namespaces winery
service cellar-web traffic=1
apply <<'YAML'
apiVersion: v1
kind: Service
metadata: {name: vintages}
spec: {clusterIP: None, selector: {app: vintages}, ports: [{port: 8080}]}
YAML
ready
quiet 60

published vintages:1.0
apply <<'YAML'
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: vintages, labels: {app: vintages}}
spec:
  serviceName: vintages
  replicas: 2
  selector: {matchLabels: {app: vintages}}
  template:
    metadata: {labels: {app: vintages}}
    spec:
      containers:
        - name: vintages
          image: localhost:5001/vintages:1.0
          ports: [{containerPort: 8080}]
          env: [{name: NAME, value: vintages}]
          volumeMounts: [{name: data, mountPath: /data}]
  volumeClaimTemplates:
    - metadata: {name: data}
      spec: {accessModes: [ReadWriteOnce], storageClassName: fast-ssd, resources: {requests: {storage: 2Gi}}}
YAML
alert KubePersistentVolumeClaimPending
quiet 40
evidence 'fast-ssd.* not found'
