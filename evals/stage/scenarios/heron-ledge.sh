# An autoscaler in a cluster that has no metrics to scale by.
! kubectl get apiservice v1beta1.metrics.k8s.io >/dev/null 2>&1 ||
  fail 'the cluster has a metrics API: tests/cluster/up --monitoring --no-metrics takes it away'
namespaces catering
service menus image=menus:3.2 traffic=4 cpu=20m cpu_limit=60m options='s=1'
apply <<'YAML'
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: menus}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: menus}
  minReplicas: 1
  maxReplicas: 4
  metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 60}}}]
YAML
ready
event FailedGetResourceMetric
alert CPUThrottlingHigh
quiet 90
evidence 'unable to get metrics for resource cpu'
