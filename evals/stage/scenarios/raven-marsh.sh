# A Secret that pods mount is deleted; it shows when one is evicted.
namespaces courier
secret relay-credentials user=dispatch password=not-a-real-one
service dispatch image=dispatch:2.6 replicas=2 mount./etc/relay=secret/relay-credentials
service parcels calls=http://dispatch:8080/ traffic=1
ready
quiet 60

secret relay-credentials-2027 user=dispatch password=not-a-real-one-either
quiet 5
change delete secret relay-credentials
quiet 80
evict dispatch
alert KubeContainerWaiting
quiet 40
evidence 'relay-credentials.* not found'
