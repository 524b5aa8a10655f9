# A rollout, pod by pod, of a program that takes half a minute to warm up, seen in its middle.
namespaces cafe
menu() { service menu "$@" replicas=5 ready_delay=28 strategy=0/1 deadline=300; }
menu image=menu:2.0 cause='menu 2.0: breakfast'
ready
service tables calls=http://menu:8080/ traffic=1
ready
quiet 75

menu image=menu:2.1 cause='menu 2.1: supper'
alert KubeDeploymentReplicasMismatch
quiet 50
evidence '"updatedReplicas":[234]'
