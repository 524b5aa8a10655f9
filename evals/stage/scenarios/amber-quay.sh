# A key of a ConfigMap is renamed; the next release of what reads it starts no more.
namespaces bookstore
settings pricing-settings CURRENCY=EUR RATE_TABLE=2026-11 ROUNDING=half-up
pricing() {
  service pricing "$@" replicas=2 key.CURRENCY=configmap/pricing-settings/CURRENCY \
    key.RATE_TABLE=configmap/pricing-settings/RATE_TABLE
}
pricing image=pricing:4.0 cause='pricing 4.0: volume discounts'
service storefront calls=http://pricing:8080/ traffic=2
ready
quiet 75

settings pricing-settings CURRENCY=EUR RATES_TABLE=2026-12 ROUNDING=half-up
quiet 60
pricing image=pricing:4.1 cause='pricing 4.1: faster quotes'
alert KubeContainerWaiting
quiet 30
evidence "couldn't find key RATE_TABLE" RATES_TABLE
