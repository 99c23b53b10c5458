package main

deny contains "a" if {
	x := 1
	input.a
}

f(y) if input.b
