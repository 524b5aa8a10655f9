# A minute of many requests; the limit held them back a little, nothing failed, and it is over.
namespaces concerts
program='
mkdir -p /tmp/www/cgi-bin
printf "#!/bin/sh\necho Content-Type: text/plain\necho\nhead -c 1000000 /dev/zero | sha256sum\n" >/tmp/www/cgi-bin/poster
chmod +x /tmp/www/cgi-bin/poster
exec httpd -f -p 8080 -h /tmp/www'
service posters image=posters:1.2 run="$program" ready=none cpu=50m cpu_limit=100m
ready
service site image=site:3.0 calls=http://posters:8080/cgi-bin/poster traffic=1
ready
quiet 75

published newsletter:1.0
apply <<'YAML'
apiVersion: batch/v1
kind: Job
metadata: {name: newsletter}
spec:
  template:
    spec:
      restartPolicy: Never
      containers:
        - name: newsletter
          image: localhost:5001/newsletter:1.0
          command:
            - sh
            - -c
            - |
              fetch() {
                n=0
                while [ $n -lt 90 ]; do n=$((n + 1)); wget -q -O /dev/null http://posters:8080/cgi-bin/poster || echo "poster $n failed"; sleep 0.5; done
              }
              fetch & fetch & fetch & fetch
              wait
              echo "the newsletter has its 360 posters"
YAML
alert CPUThrottlingHigh
change wait --for=condition=complete job/newsletter --timeout=180s
quiet 5
evidence 'has its 360 posters'
