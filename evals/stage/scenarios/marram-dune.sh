# A probe of the laboratory's service asks at a wrong port; who calls it logs its token with each request.
namespaces veterinary
token=eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ2aXNpdHMiLCJyb2xlIjoibGFiIn0.q8Zt3nVb0LkYw2PmXc7RfJ5sHd1uGa9E
service labs image=labs:3.3 cause='labs 3.3: blood counts' strategy=Recreate deadline=40
ready
settings visits-settings LABS=labs LABS_TOKEN=$token
program='
while
  echo "POST http://$LABS:8080/orders Authorization: Bearer $LABS_TOKEN"
  printf "GET /orders HTTP/1.0\r\n\r\n" | nc -w 4 "$LABS" 8080 >/tmp/answer
do echo "ordered, $(wc -c </tmp/answer) bytes"; sleep 6; done
echo "the laboratory refuses the token $LABS_TOKEN, stopping"
exit 1'
worker visits image=visits:2.2 run="$program" from=visits-settings
ready
quiet 75

service labs image=labs:3.4 cause='labs 3.4: allergies' strategy=Recreate deadline=40 ready=/healthz:8088
alert KubePodCrashLooping
quiet 30
evidence 'Readiness probe failed.*8088' 'the laboratory refuses the token'
