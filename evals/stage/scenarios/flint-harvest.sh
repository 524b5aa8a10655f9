# Somebody suspended a CronJob and forgot it.
namespaces brokerage
service quotes image=quotes:7.7 traffic=1
published rates:1.0
apply <<'YAML'
apiVersion: batch/v1
kind: CronJob
metadata: {name: rates}
spec:
  schedule: "* * * * *"
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: Never
          containers:
            - {name: rates, image: "localhost:5001/rates:1.0", command: [sh, -c, "sleep 3; echo 1204 rates are refreshed"]}
YAML
ready
quiet 150

change patch cronjob rates -p '{"spec":{"suspend":true}}'
quiet 20
service quotes image=quotes:7.8 traffic=1 cause='quotes 7.8: spreads'
quiet 140
evidence '"suspend":true'
