package main

test_loop if count(deny_loop) == 0

test_deny if count(deny) == 1 with input as {"kind": "Thing"}
