# A LimitRange forbids what was allowed; the next release, that replaces all pods at once, finds out.
namespaces customs
declarations() { service declarations "$@" replicas=2 memory=48Mi memory_limit=128Mi strategy=Recreate; }
declarations image=declarations:12.0 cause='declarations 12.0: bulk goods'
service portal calls=http://declarations:8080/ traffic=2
ready
quiet 75

apply <<'YAML'
apiVersion: v1
kind: LimitRange
metadata: {name: container-sizes}
spec:
  limits:
    - {type: Container, max: {memory: 96Mi}}
YAML
quiet 75
declarations image=declarations:12.1 cause='declarations 12.1: wording'
alert HighErrorRate
quiet 30
evidence 'maximum memory usage per Container is 96Mi'
