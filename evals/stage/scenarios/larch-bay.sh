# A Service of another namespace gets another name; who calls it was not told.
namespaces leasing accounting
within accounting
service billing image=billing:9.1
within leasing
service contracts image=contracts:4.8 calls=http://billing.accounting:8080/ traffic=2
ready
quiet 75

within accounting
service billing image=billing:9.1 serve=invoices
change delete service billing
within leasing
alert HighErrorRate
quiet 30
evidence 'lookup billing.accounting'
