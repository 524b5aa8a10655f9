# A release keeps more with each second.
namespaces dairy
service herd image=herd:2.8 cause='herd 2.8: calf register' memory=96Mi memory_limit=96Mi
service parlour calls=http://herd:8080/ traffic=1
ready
quiet 75

service herd image=herd:2.9 cause='herd 2.9: milk history' memory=96Mi memory_limit=96Mi options='g=3'
alert KubeContainerOOMKilled
alert KubePodCrashLooping
quiet 30
evidence 'cache grown' OOMKilled
