# A release names a tag that was never pushed.
namespaces pharmacy
service prescriptions image=prescriptions:3.1.0 cause='prescriptions 3.1: repeat orders' replicas=2 deadline=30
service counter calls=http://prescriptions:8080/ traffic=1
ready
quiet 75

service prescriptions image=prescriptions:3.1.1-hotfix published=no cause='prescriptions 3.1.1' replicas=2 deadline=30
alert KubeDeploymentRolloutStuck
quiet 30
evidence '3.1.1-hotfix: not found'
