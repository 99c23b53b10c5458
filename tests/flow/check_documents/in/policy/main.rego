package main

import rego.v1

deny contains msg if {
    some r in input.resource_changes
    r.type == "aws_s3_bucket"
    r.change.after.acl == "public-read"
    msg := sprintf("%s is public (%s)", [r.address, r.change.after.tags.token])
}

deny contains {"msg": msg, "severity": "HIGH", "fix": "Set runAsNonRoot."} if {
    input.kind == "Deployment"
    not input.spec.template.spec.securityContext.runAsNonRoot
    msg := sprintf("%s may run as root", [input.metadata.name])
}

warn contains msg if {
    some c in input.spec.template.spec.containers
    endswith(c.image, ":latest")
    msg := sprintf("container %s is of latest", [c.name])
}
