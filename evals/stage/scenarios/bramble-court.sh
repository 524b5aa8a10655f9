# A flag turns on a call to something that nobody has installed.
namespaces crafts
service tax image=tax:1.0
settings shop-flags TAX_RULES=classic GIFT_WRAP=on
program='
case $TAX_RULES in
  regional) export DOWNSTREAM=http://tax-regional:8080/rules ;;
  *) export DOWNSTREAM=http://tax:8080/rules ;;
esac
echo "tax rules are $TAX_RULES"
exec /workload'
shop() { service shop "$@" from=shop-flags run="$program" scrape=yes env.SELF_TRAFFIC=2; }
shop image=shop:4.0 cause='shop 4.0: patterns'
ready
quiet 75

settings shop-flags TAX_RULES=regional GIFT_WRAP=on
quiet 60
shop image=shop:4.1 cause='shop 4.1: wool'
alert HighErrorRate
quiet 30
evidence 'lookup tax-regional'
