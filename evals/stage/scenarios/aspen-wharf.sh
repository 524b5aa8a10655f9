# A login Secret has a wrong port; its value can't be read, what the log says can.
namespaces tax-office
service ledger-db image=ledger-db:15.1 port=5432
secret filings-database DATABASE=ledger-db:5432
filings() { service filings "$@" replicas=2 from=secret/filings-database; }
filings image=filings:3.0 cause='filings 3.0: attachments'
service counter calls=http://filings:8080/ traffic=1
ready
quiet 75

secret filings-database DATABASE=ledger-db:5433
quiet 60
filings image=filings:3.1 cause='filings 3.1: receipts'
alert KubePodCrashLooping
quiet 30
evidence 'ledger-db:5433'
