# The certificate of what is called expires.
namespaces lending registry-office
within registry-office
enddate=$(date -u -d '+200 seconds' +%Y%m%d%H%M%SZ)
certificate deeds.registry-office "$enddate"
change create secret tls deeds-tls --cert "$work/tls.crt" --key "$work/tls.key"
published deeds:5.0 openssl
program='
echo "deeds are served at port 8443"
exec openssl s_server -quiet -accept 8443 -www -cert /etc/tls/tls.crt -key /etc/tls/tls.key'
service deeds image=deeds:5.0 base=openssl port=8443 run="$program" ready=none mount./etc/tls=secret/deeds-tls
within lending
change create configmap authorities --from-file=ca.crt="$work/tls.crt"
offers() {
  service offers "$@" calls=https://deeds.registry-office:8443/ traffic=2 mount./etc/authorities=configmap/authorities \
    env.SSL_CERT_FILE=/etc/authorities/ca.crt
}
offers image=offers:6.0 cause='offers 6.0: fixed rates'
ready
quiet 90
offers image=offers:6.1 cause='offers 6.1: instalments'
ready
alert HighErrorRate
quiet 40
evidence 'certificate has expired'
