# An outage that is over: the release was taken back, its pods are gone.
namespaces auction auction-core
within auction-core
lots() { service lots "$@" cache=80 strategy=Recreate; }
lots image=lots:3.4 memory=160Mi memory_limit=160Mi cause='lots 3.4: categories'
within auction
service bidding image=bidding:12.1 calls=http://lots.auction-core:8080/ traffic=3
ready
quiet 75

within auction-core
lots image=lots:3.5 memory=56Mi memory_limit=56Mi cause='lots 3.5: photos'
alert KubeContainerOOMKilled
within auction
alert HighErrorRate
quiet 30
within auction-core
change rollout undo deployment/lots
ready
quiet 75
evidence '"memory":"56Mi"' 'connection refused'
