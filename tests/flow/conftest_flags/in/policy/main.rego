package main

deny contains msg if {
	input.kind == "Pod"
	print("asked of", input.kind)
	msg := "a pod"
}

warn contains "no owner" if not input.owner
