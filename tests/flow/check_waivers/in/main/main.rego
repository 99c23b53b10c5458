package main

deny contains msg if {
	input.kind == "Deployment"
	input.spec.replicas < 2
	msg := "one replica is none"
}

deny contains msg if {
	some r in input.resource_changes
	some i in r.change.after.ingress
	i.from_port == 22
	msg := sprintf("%s is open", [r.address])
}
