# A Service selects a label that no pod has; the caller had a release of its own just before.
namespaces railway
service timetable image=timetable:8.0 replicas=2 label.track=stable select.track=stable
service journeys image=journeys:3.3 cause='journeys 3.3: night trains' replicas=2 calls=http://timetable:8080/ traffic=2
ready
quiet 75

service journeys image=journeys:3.4 cause='journeys 3.4: seat maps' replicas=2 calls=http://timetable:8080/ traffic=2
ready
quiet 20
change patch service timetable -p '{"spec":{"selector":{"track":"live"}}}'
alert HighErrorRate service=journeys
quiet 30
evidence '"track":"live"'
