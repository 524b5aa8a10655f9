# More titles to index than the liveness probe has patience.
namespaces library
settings catalogue-settings TITLES=20000 LANGUAGE=en
program='
n=0
while [ $n -lt $TITLES ]; do sleep 5; n=$((n + 10000)); echo "indexed $n of $TITLES titles"; done
echo "the index is complete, starting to serve"
exec /workload'
service catalogue image=catalogue:2.2 cause='catalogue 2.2: authors' run="$program" from=catalogue-settings \
  alive=/healthz:8080 alive_failures=5
service reading-room calls=http://catalogue:8080/ traffic=1
ready
quiet 75

settings catalogue-settings TITLES=140000 LANGUAGE=en
change rollout restart deployment/catalogue
alert KubePodCrashLooping
quiet 30
evidence 'failed liveness probe, will be restarted' 'of 140000 titles'
