# A wrong database host waits in a ConfigMap until an innocent release restarts the pods.
namespaces florist florist-data
within florist-data
service orders-db port=5432
within florist
settings orders-settings DATABASE=orders-db.florist-data:5432 CURRENCY=EUR
service orders image=orders:4.1 cause='orders 4.1: bouquets' replicas=2 from=orders-settings strategy=Recreate
service storefront calls=http://orders:8080/ traffic=2
ready
quiet 75

settings orders-settings DATABASE=orders-pg.florist-data:5432 CURRENCY=EUR
quiet 90
service orders image=orders:4.2 cause='orders 4.2: gift cards' replicas=2 from=orders-settings strategy=Recreate
alert HighErrorRate
alert KubePodCrashLooping
quiet 30
evidence 'lookup orders-pg.florist-data' 'orders-db.florist-data'
