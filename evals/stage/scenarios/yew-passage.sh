# A claim was deleted, but a finalizer of a tool that is no more here holds it; the pod that needs it waits.
namespaces parking
everywhere persistentvolume parking-tickets
apply <<'YAML'
apiVersion: v1
kind: PersistentVolume
metadata: {name: parking-tickets}
spec:
  capacity: {storage: 1Gi}
  accessModes: [ReadWriteOnce]
  storageClassName: tickets
  hostPath: {path: /tmp/parking-tickets, type: DirectoryOrCreate}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: tickets, finalizers: [snapshots.example.com/guard]}
spec: {accessModes: [ReadWriteOnce], storageClassName: tickets, resources: {requests: {storage: 1Gi}}}
YAML
service gates image=gates:2.2 mount./tickets=claim/tickets
service cars calls=http://gates:8080/ traffic=2
ready
quiet 60

change delete pvc tickets --wait=false
quiet 75
evict gates
alert HighErrorRate
alert KubePodNotReady
quiet 30
evidence 'is being deleted' 'snapshots.example.com/guard'
