# Rego of the pack
package net.main

deny contains msg if {
	input.port > data.limits.port
	msg := "too high"
}
