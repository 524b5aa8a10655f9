# The alert that always fires, while a release is shipped.
namespaces pottery
service kiln image=kiln:2.0 cause='kiln 2.0: glazes' replicas=2
service shop calls=http://kiln:8080/ traffic=1
ready
quiet 75
service kiln image=kiln:2.1 cause='kiln 2.1: colours' replicas=2
ready
quiet 45
