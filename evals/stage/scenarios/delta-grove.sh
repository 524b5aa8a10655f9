# A number gets a unit, and the preparation of the next release fails at the arithmetic.
namespaces brewery
settings kettle-settings KETTLE_TIMEOUT=30 BATCHES=4
prepare='
set -e
deadline=$(( KETTLE_TIMEOUT * 2 ))
echo "kettles are given $deadline s for $BATCHES batches"'
kettles() { service kettles "$@" from=kettle-settings init="$prepare" strategy=Recreate; }
kettles image=kettles:1.3 cause='kettles 1.3: stout'
service taproom calls=http://kettles:8080/ traffic=2
ready
quiet 75

settings kettle-settings KETTLE_TIMEOUT=30s BATCHES=4
quiet 60
kettles image=kettles:1.4 cause='kettles 1.4: porter'
alert KubePodNotReady
alert HighErrorRate
quiet 30
evidence 'arithmetic syntax error|bad number|30s'
