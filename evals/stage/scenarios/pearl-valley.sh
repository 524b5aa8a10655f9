# A release keeps its archive on a claim that is larger than the only volume.
namespaces printing
everywhere persistentvolume printing-archive
everywhere storageclass shelf
apply <<'YAML'
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: shelf}
provisioner: kubernetes.io/no-provisioner
---
apiVersion: v1
kind: PersistentVolume
metadata: {name: printing-archive}
spec:
  capacity: {storage: 2Gi}
  accessModes: [ReadWriteOnce]
  storageClassName: shelf
  hostPath: {path: /tmp/printing-archive, type: DirectoryOrCreate}
YAML
service presses image=presses:3.0 cause='presses 3.0: colour' strategy=Recreate
service orders calls=http://presses:8080/ traffic=1
ready
quiet 75

apply <<'YAML'
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: archive}
spec: {accessModes: [ReadWriteOnce], storageClassName: shelf, resources: {requests: {storage: 20Gi}}}
YAML
service presses image=presses:3.1 cause='presses 3.1: archive of sheets' strategy=Recreate mount./archive=claim/archive
alert HighErrorRate
alert KubePodNotReady
quiet 30
evidence 'unbound immediate PersistentVolumeClaims'
