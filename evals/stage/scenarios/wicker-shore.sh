# A release keeps what it should throw away, until the node takes its pod out.
namespaces streaming
transcoder() {
  worker transcoder "image=transcoder:$1" cause="transcoder $1" mount./scratch=scratch/48Mi run="
n=0
while :; do
  n=\$((n + 1))
  head -c 3000000 /dev/zero >/scratch/segment-\$n
  echo \"segment \$n transcoded\"
  $2
  sleep 2
done"
}
transcoder 4.0 'rm -f /scratch/segment-*'
service player traffic=1
ready
quiet 75

transcoder 4.1 'echo "segment $n kept for replay"'
alert KubePodNotReady
quiet 45
evidence 'exceeds the limit .*48Mi'
