package main

deny contains msg if {
	input.kind == "Deployment"
	not input.spec.securityContext.runAsNonRoot
	msg := sprintf("%s: containers must not run as root", [input.metadata.name])
}

deny contains msg if {
	input.kind == "Deployment"
	not input.metadata.labels.team in data.teams
	msg := sprintf("%s: the team is unknown", [input.metadata.name])
}

deny_port contains {"msg": msg, "port": p, "_loc": {"file": "ports.yaml", "line": 7}} if {
	some p in input.spec.ports
	p < 1024
	print("port", p, data.conftest.file)
	msg := sprintf("port %d is privileged", [p])
}

violation_old contains "no longer served" if input.apiVersion == "extensions/v1beta1"

warn contains sprintf("%s has no owner", [input.metadata.name]) if {
	input.kind == "Service"
	not input.metadata.labels.owner
}

exception contains rules if {
	input.metadata.name == "legacy"
	rules := ["old"]
}
