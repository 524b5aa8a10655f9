# One limit at the bottom of a shop, and alerts from everywhere above it.
namespaces mall mall-orders mall-stock
within mall-stock
cache() { service cache "$@" replicas=3 cache=80 strategy=Recreate; }
cache image=cache:6.2 memory=160Mi memory_limit=160Mi cause='cache 6.2: compression'
service stock image=stock:2.9 replicas=2 calls=http://cache:8080/
within mall-orders
service cart image=cart:5.0 replicas=2 calls=http://stock.mall-stock:8080/ traffic=1
service checkout image=checkout:8.4 replicas=2 calls=http://cart:8080/ traffic=1
within mall
service web image=web:31.0 cause='web 31.0: winter theme' replicas=2 calls=http://checkout.mall-orders:8080/ traffic=1
service mobile image=mobile:12.0 calls=http://cart.mall-orders:8080/ traffic=1
ready
quiet 75

service web image=web:31.1 cause='web 31.1: banner' replicas=2 calls=http://checkout.mall-orders:8080/ traffic=1
ready
within mall-stock
cache image=cache:6.3 memory=48Mi memory_limit=48Mi cause='cache 6.3: requests from the usage report'
storm 12
quiet 30
evidence OOMKilled 'connection refused'
