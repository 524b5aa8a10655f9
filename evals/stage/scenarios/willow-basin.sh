# A namespace begins to enforce a strict standard for pods; one that is evicted is refused.
namespaces school
service timetable image=timetable:1.9 traffic=1
service pupils calls=http://timetable:8080/ traffic=1
ready
quiet 75

change label namespace school pod-security.kubernetes.io/enforce=restricted
quiet 60
evict timetable
alert KubeDeploymentReplicasMismatch
quiet 30
evidence 'violates PodSecurity'
