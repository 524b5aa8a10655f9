# A port of another product in the settings of what gives out tokens, and all that needs tokens fails.
namespaces bank-core bank-cards bank-web
service tokens-db image=tokens-db:15.2 port=5432
settings tokens-settings DATABASE=tokens-db:5432 LIFETIME=15m
service tokens image=tokens:5.3 replicas=2 from=tokens-settings strategy=Recreate
ready
service accounts image=accounts:8.0 replicas=2 calls=http://tokens:8080/ traffic=1
within bank-cards
service cards image=cards:4.4 replicas=2 calls=http://tokens.bank-core:8080/ traffic=1
service limits image=limits:2.0 replicas=2 calls=http://tokens.bank-core:8080/ traffic=1
within bank-web
settings web-settings BANNER=autumn
service web image=web:40.0 cause='web 40.0: savings' from=web-settings replicas=2 calls=http://accounts.bank-core:8080/ traffic=1
ready
quiet 75

within bank-core
settings tokens-settings DATABASE=tokens-db:3306 LIFETIME=30m
quiet 45
within bank-web
settings web-settings BANNER=winter
service web image=web:40.1 cause='web 40.1: mortgages' from=web-settings replicas=2 calls=http://accounts.bank-core:8080/ traffic=1
ready
within bank-core
change rollout restart deployment/tokens
storm 11
quiet 30
evidence 'tokens-db:3306'
