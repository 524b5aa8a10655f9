# A Job's first pod came while its database was being replaced; the second did the work.
namespaces bakery
ovens() { service ovens-db "$@" ready_delay=6 strategy=Recreate; }
ovens image=ovens-db:15.2 cause='ovens-db 15.2'
service shop traffic=1
ready
quiet 75

ovens image=ovens-db:15.3 cause='ovens-db 15.3: security fixes'
published stocktaking:1.4
apply <<'YAML'
apiVersion: batch/v1
kind: Job
metadata: {name: stocktaking}
spec:
  backoffLimit: 4
  template:
    spec:
      restartPolicy: Never
      containers:
        - name: stocktaking
          image: localhost:5001/stocktaking:1.4
          command: [sh, -c, "wget -q -O /dev/null http://ovens-db:8080/stock && echo 318 items are counted"]
YAML
change wait --for=condition=complete job/stocktaking --timeout=180s
ready
alert KubePodNotReady
quiet 40
evidence '"succeeded":1' '"phase":"Failed"'
