# A port is wrong; the log prints the address of the database with its password.
namespaces cinema
service bookings-db image=bookings-db:15.3 port=5432
settings bookings-settings DB_HOST=bookings-db DB_PORT=5432
secret bookings-db-login DB_PASSWORD=Vx9-mulberry-42-Qz
program='
echo "connecting to postgres://bookings:$DB_PASSWORD@$DB_HOST:$DB_PORT/bookings"
echo "GET /healthz" | nc -w 4 "$DB_HOST" "$DB_PORT" >/dev/null || { echo "connection to $DB_HOST:$DB_PORT failed, password=$DB_PASSWORD"; exit 1; }
echo connected
exec /workload'
bookings() {
  service bookings "$@" from=bookings-settings,secret/bookings-db-login run="$program" strategy=Recreate \
    env.API_TOKEN=tk-quillwort-9917-LLm3
}
bookings image=bookings:7.0 cause='bookings 7.0: seats for two'
service tills calls=http://bookings:8080/ traffic=2
ready
quiet 75

settings bookings-settings DB_HOST=bookings-db DB_PORT=5433
quiet 45
bookings image=bookings:7.1 cause='bookings 7.1: matinees'
alert KubePodCrashLooping
quiet 30
evidence 'bookings-db:5433'
