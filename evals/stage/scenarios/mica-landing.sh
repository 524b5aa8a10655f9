# At the end of a chain through three namespaces a database has no replicas.
namespaces travel fares fares-data
within fares-data
service fares-db image=fares-db:14.2
within fares
service fares-api image=fares-api:3.0 calls=http://fares-db.fares-data:8080/
within travel
service search image=search:22.0 cause='search 22.0: flexible dates' calls=http://fares-api.fares:8080/fares traffic=3
service maps image=maps:1.1 logs=1
ready
quiet 75

within fares-data
change scale deployment/fares-db --replicas 0
quiet 5
within travel
service maps image=maps:1.2 logs=1 cause='maps 1.2: satellite'
alert HighErrorRate
quiet 30
evidence 'fares-db.fares-data.*refused'
