# Ten times the cache that was meant: a ConfigMap says 640 for 64.
namespaces seeds
settings germination-settings CACHE=64 REGION=north
germination() {
  service germination image=germination:6.0 cause='germination 6.0: trials' from=germination-settings memory=160Mi \
    memory_limit=160Mi
}
germination
service nursery calls=http://germination:8080/ traffic=1
ready
quiet 75

settings germination-settings CACHE=640 REGION=north
quiet 20
change rollout restart deployment/germination
alert KubeContainerOOMKilled
quiet 30
evidence OOMKilled
