# Two faults that have nothing to do with each other; one is asked about.
namespaces warehouse
service picking image=picking:2.0 cause='picking 2.0: routes' deadline=40
settings packing-sizes SMALL=20 LARGE=60
service packing image=packing:6.1 cause='packing 6.1: paper' from=packing-sizes
service loading calls=http://packing:8080/ traffic=1
ready
quiet 75

service picking image=picking:2.1-rc4 published=no cause='picking 2.1: voice' deadline=40
quiet 20
service packing image=packing:6.2 cause='packing 6.2: labels' from=packing-sizes,packing-labels
alert KubeContainerWaiting container=packing
alert KubeDeploymentRolloutStuck deployment=picking
quiet 20
evidence 'packing-labels.* not found' '2.1-rc4'
