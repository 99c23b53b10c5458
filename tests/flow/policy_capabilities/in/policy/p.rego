package main

import future.keywords.and
import future.keywords.or

deny contains "x is neither 1 nor 2" if not allowed

allowed if input.x == 1 or input.x == 2

both if input.x == 1 and input.y == 2

test_allowed if allowed with input.x as 2
