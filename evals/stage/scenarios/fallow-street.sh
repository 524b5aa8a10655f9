# One run of a CronJob met a restart of what it asks; the next ones went well.
namespaces garage
parts() { service parts "$@" ready_delay=14 strategy=Recreate; }
parts image=parts:7.0 cause='parts 7.0'
service workshop calls=http://parts:8080/ traffic=1
published inventory:2.0
apply <<'YAML'
apiVersion: batch/v1
kind: CronJob
metadata: {name: inventory}
spec:
  schedule: "* * * * *"
  failedJobsHistoryLimit: 1
  successfulJobsHistoryLimit: 5
  jobTemplate:
    spec:
      backoffLimit: 0
      template:
        spec:
          restartPolicy: Never
          containers:
            - name: inventory
              image: localhost:5001/inventory:2.0
              command: [sh, -c, "wget -q -O /dev/null http://parts:8080/inventory && echo inventory is up to date"]
YAML
ready
quiet 75

# The release falls on a full minute, when the CronJob runs.
until [ "$((10#$(date +%S)))" -ge 54 ] && [ "$((10#$(date +%S)))" -le 57 ]; do sleep 1; done
parts image=parts:7.1 cause='parts 7.1: winter tyres'
ready
alert KubeJobFailed
quiet 135
evidence 'inventory is up to date'
