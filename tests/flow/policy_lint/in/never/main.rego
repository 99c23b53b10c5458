package main

import data.lib

deny contains "bounds" if {
	input.port > 1024
	input.port < 22
}

deny contains "one of" if {
	input.kind in {"Pod", "Job"}
	input.kind == "Deployment"
}

deny contains "a variable" if {
	kind := input.kind
	kind == "Pod"
	kind == "Job"
}

deny contains "denied" if {
	input.open
	not input.open
}

deny contains "constants" if 1 > 2

deny contains "no definition" if not lib.of("gcp")

deny_ contains "nobody asks" if input.open

warning contains "far from it, but its package is asked" if input.open

dney["old"] if input.open

# All of these may hold.
deny contains "fine" if {
	input.port > 22
	input.port < 1024
	input.port != 80
	input.ports[_] == 1
	input.ports[_] == 2
	input.kind in {"Pod", "Job"}
	input.kind == "Job"
	not input.shut == true
	lib.of("aws")
	lib.of(input.cloud)
}
