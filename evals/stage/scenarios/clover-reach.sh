# Somebody made an address secure that is not.
namespaces shoes
service sizes image=sizes:2.0 replicas=2
settings fitting-settings DOWNSTREAM=http://sizes:8080/chart REGION=eu
fitting() { service fitting image=fitting:3.3 from=fitting-settings traffic=2; }
fitting
ready
quiet 75

settings fitting-settings DOWNSTREAM=https://sizes:8080/chart REGION=eu
quiet 15
change rollout restart deployment/fitting
alert HighErrorRate
quiet 30
evidence 'HTTP response to HTTPS client'
