# A program that takes every failure for a damaged database; the database only got another name.
namespaces optics
service frames-db image=frames-db:14.1
program='
while printf "GET /rows HTTP/1.0\r\n\r\n" | nc -w 4 frames-db 8080 >/tmp/rows 2>/tmp/why; do echo "catalogue loaded, $(wc -c </tmp/rows) bytes"; sleep 4; done
echo "WARN read of page 0: $(cat /tmp/why)"
echo "FATAL the catalogue database is corrupted: checksum of page 0 does not match; stop it and restore the last backup"
exit 3'
worker catalogue image=catalogue:3.8 run="$program"
ready
quiet 75

service frames-db image=frames-db:14.1 serve=frames-store
change delete service frames-db
alert KubePodCrashLooping
quiet 30
evidence 'bad address .frames-db'
