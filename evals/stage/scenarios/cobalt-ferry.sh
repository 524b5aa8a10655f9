# A pod waits in its first container for a service of another namespace that somebody scaled to nothing.
namespaces harbour identity
within identity
service accounts image=accounts:10.2
within harbour
wait='
until wget -q -O /dev/null http://accounts.identity:8080/healthz; do echo "waiting for accounts.identity"; sleep 4; done
echo "accounts.identity answers, going on"'
moorings() { service moorings "$@" init="$wait" strategy=Recreate; }
moorings image=moorings:4.0 cause='moorings 4.0: yearly berths'
service pilots calls=http://moorings:8080/ traffic=2
ready
quiet 75

within identity
change scale deployment/accounts --replicas 0
quiet 75
within harbour
moorings image=moorings:4.1 cause='moorings 4.1: larger type'
alert HighErrorRate
alert KubePodNotReady
quiet 30
evidence 'waiting for accounts.identity'
