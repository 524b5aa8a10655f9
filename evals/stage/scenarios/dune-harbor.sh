# The memory limit of what another team's service asks is cut below what it holds.
namespaces freight-web freight-core
within freight-core
tariffs() { service tariffs "$@" replicas=2 cache=96 strategy=Recreate; }
tariffs image=tariffs:2.3 memory=192Mi memory_limit=192Mi cause='tariffs 2.3: new zones'
within freight-web
settings quote-flags LAYOUT=classic PDF=on
service quotes replicas=2 calls=http://tariffs.freight-core:8080/tariff traffic=2
service tracking image=tracking:3.0 cause='tracking 3.0: maps' from=quote-flags logs=1
ready
quiet 75

settings quote-flags LAYOUT=wide PDF=on
service tracking image=tracking:3.1 cause='tracking 3.1: wide layout' from=quote-flags logs=1
quiet 40
within freight-core
tariffs image=tariffs:2.4 memory=64Mi memory_limit=64Mi cause='tariffs 2.4: housekeeping'
alert KubeContainerOOMKilled
within freight-web
alert HighErrorRate
quiet 40
evidence OOMKilled 'connection refused'
