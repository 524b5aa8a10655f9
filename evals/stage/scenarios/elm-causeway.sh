# A CronJob reads the name of a host with a letter too few.
namespaces metering
service collector image=collector:2.2 traffic=1
settings meter-settings COLLECTOR=http://collector:8080 DISTRICT=7
published readings:1.1
apply <<'YAML'
apiVersion: batch/v1
kind: CronJob
metadata: {name: readings}
spec:
  schedule: "* * * * *"
  failedJobsHistoryLimit: 1
  jobTemplate:
    spec:
      backoffLimit: 0
      template:
        spec:
          restartPolicy: Never
          containers:
            - name: readings
              image: localhost:5001/readings:1.1
              envFrom: [{configMapRef: {name: meter-settings}}]
              command:
                - sh
                - -c
                - wget -q -O /dev/null "$COLLECTOR/readings" && echo "readings of district $DISTRICT are delivered"
YAML
ready
quiet 130

settings meter-settings COLLECTOR=http://colector:8080 DISTRICT=7
alert KubeJobFailed
quiet 20
evidence 'bad address .colector'
