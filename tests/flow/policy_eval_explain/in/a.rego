package a

deny contains msg if {
	some r in input.resources
	trace(sprintf("looking at %s", [r.name]))
	is_open(r)
	msg := sprintf("%s is open", [r.name])
}

is_open(r) if {
	r.port == 22
	r.source == "0.0.0.0/0"
}
