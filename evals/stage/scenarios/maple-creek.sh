# A rollout that may not take a pod away meets a quota that has no room for one more.
namespaces payroll
apply <<'YAML'
apiVersion: v1
kind: ResourceQuota
metadata: {name: team-budget}
spec: {hard: {requests.memory: 220Mi}}
YAML
salaries() { service salaries "$@" replicas=3 memory=64Mi strategy=1/0 deadline=30; }
salaries image=salaries:7.0 cause='salaries 7.0: bonus runs'
ready
quiet 75

salaries image=salaries:7.1 cause='salaries 7.1: tax year'
alert KubeDeploymentRolloutStuck
quiet 30
evidence 'exceeded quota: team-budget'
