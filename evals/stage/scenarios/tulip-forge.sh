# A ServiceAccount gets another name; the pod that is evicted later cannot be made again.
namespaces foundry
change create serviceaccount casting
service moulds image=moulds:4.4 account=casting traffic=1
service orders calls=http://moulds:8080/ traffic=1
ready
quiet 60

change create serviceaccount casting-bot
change delete serviceaccount casting
quiet 75
evict moulds
alert KubeDeploymentReplicasMismatch
alert HighErrorRate service=orders
quiet 20
evidence 'serviceaccount .*casting.* not found'
