# A Service of the third namespace in a chain sends to a port where nothing listens.
namespaces cruises cabins berths
within berths
service allocator image=allocator:1.4 replicas=2
within cabins
service cabin-api image=cabin-api:6.2 calls=http://allocator.berths:8080/
within cruises
service booking image=booking:11.0 cause='booking 11.0: excursions' calls=http://cabin-api.cabins:8080/cabins traffic=3
ready
quiet 75

service booking image=booking:11.1 cause='booking 11.1: group fares' calls=http://cabin-api.cabins:8080/cabins traffic=3
ready
quiet 15
within berths
service allocator image=allocator:1.4 replicas=2 target=8081
within cruises
alert HighErrorRate
within cabins
alert HighErrorRate
quiet 30
evidence 'allocator.berths.*refused' '"targetPort":8081'
