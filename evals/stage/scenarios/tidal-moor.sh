# A release starts a program that its image does not have.
namespaces pottery-shop
service glazes image=glazes:1.6 cause='glazes 1.6: raku' replicas=2
service shop calls=http://glazes:8080/ traffic=1
ready
quiet 75

service glazes image=glazes:1.7 cause='glazes 1.7: one layout for all images' replicas=2
change patch deployment glazes --type json \
  -p '[{"op":"add","path":"/spec/template/spec/containers/0/command","value":["/app/glazes"]}]'
alert KubePodCrashLooping
quiet 30
evidence 'no such file or directory'
