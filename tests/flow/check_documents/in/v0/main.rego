package main

violation[{"msg": msg}] {
	c := input.request.object.spec.containers[_]
	c.securityContext.privileged
	msg := sprintf("%v is privileged", [c.name])
}
