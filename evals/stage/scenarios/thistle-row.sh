# A ConfigMap has another address since three minutes, but nobody restarted its reader: it isn't that.
namespaces toys
service stock image=stock:3.1 replicas=2
service stock-archive image=stock-archive:1.0
settings shop-settings DOWNSTREAM=http://stock:8080/items THEME=plain
service shop image=shop:9.9 cause='shop 9.9: wish lists' from=shop-settings traffic=3
ready
quiet 75

settings shop-settings DOWNSTREAM=http://stock-archive.toys-eu:8080/items THEME=plain
quiet 90
service stock image=stock:3.1 replicas=2 target=8088
alert HighErrorRate
quiet 30
evidence '"targetPort":8088' 'stock:8080.*refused'
