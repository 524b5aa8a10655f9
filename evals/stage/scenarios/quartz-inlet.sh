# A root filesystem becomes read-only, where the program writes its pages.
namespaces newsroom
program='
mkdir -p /var/cache/pages && echo "front page" >/var/cache/pages/index.html || { echo "cannot prepare the page cache, giving up"; exit 1; }
echo "serving from the page cache"
exec /workload'
service frontpage image=frontpage:20.1 cause='frontpage 20.1: weather box' run="$program"
service readers calls=http://frontpage:8080/ traffic=1
ready
quiet 75

service frontpage image=frontpage:20.1 cause='frontpage 20.1: baseline of the platform team' run="$program" read_only=yes
alert KubePodCrashLooping
quiet 30
evidence 'Read-only file system'
