# A worker computes as fast as its limit lets it; nobody waits for it.
namespaces weather
program='
while :; do
  started=$(date +%s) i=0
  while [ $i -lt 400000 ]; do i=$((i + 1)); done
  echo "grid 48x48 computed in $(($(date +%s) - started)) s, due every 300 s"
done'
worker grid image=grid:3.1 run="$program" cpu=100m cpu_limit=100m note.example.com/purpose='batch: takes what the limit gives, nothing waits for it'
service forecast image=forecast:6.0 traffic=2
ready
alert CPUThrottlingHigh
quiet 75
evidence 'computed in'
