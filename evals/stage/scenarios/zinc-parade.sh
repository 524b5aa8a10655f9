# A release wants a node with a label that none has.
namespaces gaming
service matches image=matches:2.4 cause='matches 2.4: tournaments' replicas=2 strategy=1/1
service lobby calls=http://matches:8080/ traffic=1
ready
quiet 75

service matches image=matches:2.5 cause='matches 2.5: low latency' replicas=2 strategy=0/1 node.network=low-latency
alert KubePodNotReady
quiet 30
evidence "didn't match Pod's node affinity/selector"
