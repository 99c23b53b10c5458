package main
import rego.v1
test_ok if count(deny) == 1 with input as {"kind": "A"}
test_bad if { print("in test"); count(deny) == 5 with input as {"kind": "A"} }
todo_test_skip if false
