# shellcheck shell=bash
# The words that scenarios are written in. `stage` sources this, then the scenario, in a shell of its own, with:
#   here     this folder                       work     a folder of the scenario's own
#   cluster  the test cluster's folder         alertmanager, prometheus   their URLs
# Each function acts in the namespace that was named last.
# shellcheck disable=SC2154 # they are assigned there

namespace=''

# fail TEXT: ends the scenario.
fail() {
  echo "$id: $*" >&2
  exit 1
}

# namespaces NAME...: makes them, and begins in the first.
namespaces() {
  local name
  for name in "$@"; do
    kubectl create namespace "$name" >/dev/null || fail "is namespace $name left over? delete it, then try again"
    echo "$name" >>"$work/namespaces"
  done
  within "$1"
  # A pod that comes before its namespace's account is refused.
  for name in "$@"; do
    for _ in $(seq 50); do
      kubectl get serviceaccount default -n "$name" >/dev/null 2>&1 && break
      sleep 0.2
    done
  done
}

# within NAMESPACE: what follows happens there.
within() { namespace=$1; }

# apply: the objects in YAML of the standard input.
apply() { kubectl apply -n "$namespace" -f - >/dev/null; }

# everywhere KIND NAME: the object that `apply` makes next has no namespace; it is deleted at the end.
everywhere() { echo "$1 $2" >>"$work/cluster-wide"; }

# published NAME:TAG [IMAGE]: the registry has the image from now on (a shell with the workload, or IMAGE of `stage`).
published() {
  ctr -a "$cluster/run/containerd.sock" -n k8s.io images tag --force "localhost/stage-${2:-service}:1" "localhost:5001/$1" \
    >/dev/null
}

# service NAME KEY=VALUE...: a Deployment and its Service, made or changed; `manifest` tells the keys. The image is
# published, except with published=no.
service() {
  local name=$1 image="$1:1.0" base=service publish=yes argument keys=()
  shift
  for argument in "$@"; do
    case $argument in
      published=*) publish=${argument#*=} ;;
      base=*) base=${argument#*=} ;;
      image=*) image=${argument#*=} keys+=("$argument") ;;
      *) keys+=("$argument") ;;
    esac
  done
  [ "$publish" = no ] || published "$image" "$base"
  "$here/manifest" "$name" "${keys[@]}" | apply
}

# worker NAME KEY=VALUE...: the same without a Service and without a probe.
worker() { service "$@" serve=none ready=none; }

# settings NAME KEY=VALUE...: a ConfigMap, made or changed.
settings() {
  local name=$1
  shift
  kubectl create configmap "$name" "${@/#/--from-literal=}" --dry-run=client -o yaml | apply
}

# secret NAME KEY=VALUE...: a Secret, made or changed.
secret() {
  local name=$1
  shift
  kubectl create secret generic "$name" "${@/#/--from-literal=}" --dry-run=client -o yaml | apply
}

# change ARGUMENTS...: any other act of kubectl in the namespace, such as `change scale deployment/web --replicas 0`.
change() { kubectl -n "$namespace" "$@" >/dev/null; }

# evict APP: one pod of it, by the API, as a drain does.
evict() {
  local pod
  pod=$(kubectl -n "$namespace" get pods -l "app=$1" -o jsonpath='{.items[0].metadata.name}')
  printf '{"apiVersion":"policy/v1","kind":"Eviction","metadata":{"name":"%s","namespace":"%s"}}' "$pod" "$namespace" |
    kubectl create --raw "/api/v1/namespaces/$namespace/pods/$pod/eviction" -f - >/dev/null
}

# ready: every Deployment, StatefulSet and DaemonSet of the namespaces is rolled out.
ready() {
  local name object
  while read -r name; do
    for object in $(kubectl -n "$name" get deployments,statefulsets,daemonsets -o name); do
      kubectl -n "$name" rollout status "$object" --timeout=180s >/dev/null || fail "$object of $name did not become ready"
    done
  done <"$work/namespaces"
}

# quiet SECONDS: nothing is done. A shell that waits hears signals, one that sleeps does not.
quiet() {
  sleep "$1" &
  wait $!
}

# until_true SECONDS WHAT COMMAND...: polls until the command succeeds.
until_true() {
  local deadline=$((SECONDS + $1)) what=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    [ "$SECONDS" -lt "$deadline" ] || fail "$what did not come in time"
    sleep 2
  done
}

alerting() {
  local filters=() filter
  for filter in "$@"; do filters+=(--data-urlencode "filter=${filter%%=*}=\"${filter#*=}\""); done
  curl -fsSG "$alertmanager/api/v2/alerts" "${filters[@]}" | jq -e 'length >= 1'
}

# alert NAME LABEL=VALUE...: waits until it fires, in this namespace where no other is named.
alert() {
  local name=$1
  shift
  [[ " $* " == *' namespace='* ]] || set -- "namespace=$namespace" "$@"
  until_true 300 "alert $name $*" alerting "alertname=$name" "$@"
}

storming() {
  local names
  names=$(paste -sd '|' "$work/namespaces")
  curl -fsSG "$alertmanager/api/v2/alerts" --data-urlencode "filter=namespace=~\"$names\"" | jq -e "length >= $1"
}

# storm NUMBER: waits until so many alerts of the namespaces fire.
storm() { until_true 300 "a storm of $1 alerts" storming "$1"; }

happened() { kubectl -n "$namespace" get events | grep -Eq "$1"; }

# event REGEX: waits for an event of the namespace.
event() { until_true 240 "event $1" happened "$1"; }

logged() { kubectl -n "$namespace" logs "$1" --tail 200 | grep -Eq "$2"; }

# log OBJECT REGEX: waits for a line in the log of an object, such as deployment/web.
log() { until_true 240 "line $2 of $1" logged "$1" "$2"; }

# evidence REGEX...: each must be found in what was recorded; it proves the cause.
evidence() { printf '%s\n' "$@" >>"$work/evidence"; }

# certificate HOST END: one that vouches for itself until END (YYYYMMDDHHMMSSZ): $work/tls.crt, $work/tls.key.
certificate() {
  touch "$work/index.txt"
  cat >"$work/authority.conf" <<CONF
[ca]
default_ca = authority
[authority]
database = $work/index.txt
rand_serial = yes
new_certs_dir = $work
default_md = sha256
policy = any
x509_extensions = extensions
[any]
commonName = supplied
[extensions]
subjectAltName = DNS:$1
basicConstraints = critical,CA:true
[req]
distinguished_name = name
[name]
CONF
  openssl req -new -newkey rsa:2048 -nodes -subj "/CN=$1" -config "$work/authority.conf" -keyout "$work/tls.key" -out "$work/tls.csr" 2>/dev/null
  openssl ca -batch -notext -selfsign -config "$work/authority.conf" -keyfile "$work/tls.key" -in "$work/tls.csr" \
    -out "$work/tls.crt" -startdate "$(date -u -d '-80 days' +%Y%m%d%H%M%SZ)" -enddate "$2" 2>/dev/null
}
