# The only pod of a service is moved, as for maintenance of a node; its caller had errors for some seconds.
namespaces tea
service blends image=blends:2.5 ready_delay=14
ready
service counter image=counter:5.0 calls=http://blends:8080/ traffic=2
ready
quiet 90

evict blends
alert HighErrorRate
ready
quiet 12
evidence 'refused|deadline|no route|reset|timeout'
