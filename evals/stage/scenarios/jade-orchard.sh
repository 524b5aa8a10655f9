# A container's port gets another name; the Service's target is the old one.
namespaces farming
service stalls image=stalls:5.0 cause='stalls 5.0: seasons' replicas=2 port_name=http target=http
service market calls=http://stalls:8080/ traffic=2
ready
quiet 75

service stalls image=stalls:5.1 cause='stalls 5.1: common names' replicas=2 port_name=web target=http
alert HighErrorRate
quiet 40
evidence 'connection refused|no route|i/o timeout|deadline' '"targetPort":"http"'
