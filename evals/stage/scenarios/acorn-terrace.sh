# 48 gibibytes are requested where 48 mebibytes were meant.
namespaces laboratory
service samples image=samples:5.5 cause='samples 5.5: bar codes' memory=48Mi strategy=Recreate
service results calls=http://samples:8080/ traffic=2
ready
quiet 75

service samples image=samples:5.6 cause='samples 5.6: requests as measured' memory=48Gi strategy=Recreate
alert HighErrorRate
alert KubePodNotReady
quiet 30
evidence 'Insufficient memory'
