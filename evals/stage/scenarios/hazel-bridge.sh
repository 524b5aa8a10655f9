# A liveness probe asks at a port where nothing listens.
namespaces clinic
service appointments image=appointments:5.3 cause='appointments 5.3: reminders'
service reception calls=http://appointments:8080/ traffic=1
ready
quiet 75

service appointments image=appointments:5.4 cause='appointments 5.4: waiting list' alive=/healthz:9090
alert KubePodCrashLooping
quiet 30
evidence 'Liveness probe failed.*9090'
