# What takes the exports answers no more; the run that waits for it keeps all later ones from beginning.
namespaces publishing
published archive:1.8
published export:1.1
archive() {
  worker archive "image=archive:$1" port=9000 port_name=archive cause="archive $1: $2" strategy=Recreate \
    run="echo archive $1 takes manuscripts at port 9000; exec nc -ll -p 9000 -e sh -c '$3'"
  apply <<'YAML'
apiVersion: v1
kind: Service
metadata: {name: archive}
spec: {selector: {app: archive}, ports: [{port: 9000}]}
YAML
}
archive 1.8 'first release' 'echo stored'
apply <<'YAML'
apiVersion: batch/v1
kind: CronJob
metadata: {name: export}
spec:
  schedule: "* * * * *"
  concurrencyPolicy: Forbid
  jobTemplate:
    spec:
      backoffLimit: 0
      template:
        spec:
          restartPolicy: Never
          containers:
            - name: export
              image: localhost:5001/export:1.1
              command:
                - sh
                - -c
                - |
                  echo "sending the manuscripts to archive:9000, then waiting for its receipt"
                  answer=$(echo manuscripts | nc archive 9000) || exit 1
                  echo "receipt: $answer"
YAML
ready
quiet 135

archive 2.0 'signed receipts' 'sleep 36000; echo stored'
event 'JobAlreadyActive'
quiet 45
evidence JobAlreadyActive 'waiting for its receipt'
