package main_test

import data.main

test_pod if main.deny == {"a pod"} with input as {"kind": "Pod"}

test_not if {
	trace("noted")
	main.deny == {"no"} with input as {"kind": "Job"}
}
