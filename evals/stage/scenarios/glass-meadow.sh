# A processor limit is cut; what computes the prices takes seconds, and its callers give up after two.
namespaces boxoffice
# Each request costs some 50 ms of processor.
program='
mkdir -p /tmp/www/cgi-bin
printf "#!/bin/sh\necho Content-Type: text/plain\necho\nhead -c 12000000 /dev/zero | sha256sum\n" >/tmp/www/cgi-bin/price
chmod +x /tmp/www/cgi-bin/price
echo "seat prices are served at port 8080"
exec httpd -f -v -p 8080 -h /tmp/www'
service seats image=seats:1.7 run="$program" ready=none cpu=50m cpu_limit=1 cause='seats 1.7: rows and blocks'
ready
service events image=events:9.0 cause='events 9.0' calls=http://seats:8080/cgi-bin/price traffic=2
ready
quiet 75

service seats image=seats:1.7 run="$program" ready=none cpu=15m cpu_limit=15m cause='seats 1.7: fit to the team budget'
alert HighErrorRate
quiet 30
evidence 'Client.Timeout|deadline exceeded'
