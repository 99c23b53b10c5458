package main

# A manifest: its keys are none of plumb's, and nobody says that they should be.
deny contains "no labels" if {
	input.kind == "Pod"
	not input.metadata.labels
	input.spec.hostNetwork
}

# Code as it stands: it has resources, too.
warn contains name if {
	some name
	input.resource.aws_vpc[name].cidr_block
	input.module
}
