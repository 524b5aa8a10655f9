# A first installation: the program comes before its database, crashes twice, and then serves.
namespaces yoga
published classes-db:15.0
service studio traffic=1
ready
quiet 60
service classes image=classes:1.0 cause='classes 1.0: first installation' database=classes-db:5432
alert KubePodCrashLooping
service classes-db image=classes-db:15.0 port=5432 cause='classes-db 15.0: first installation'
ready
quiet 15
evidence 'cannot connect to database' '"level":"INFO".*listening|listening'
