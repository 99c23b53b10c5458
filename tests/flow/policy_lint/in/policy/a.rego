package main

import data.lib

default allow := false

allow if true

deny contains "x" if {
	input.kind == "a"
	input.kind == "b"
}

denny contains "y" if not data.lib.nope

warn contains "z" if lib.gone[_] == 1

f(x) := 1 if { input.b } else := 2 if { true } else := 3

g := 1 if { 1 == 2 }
