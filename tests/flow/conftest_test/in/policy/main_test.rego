package main_test

import data.main

test_root if count(main.deny) == 2 with input as {"kind": "Deployment", "metadata": {"name": "a", "labels": {"team": "x"}}}

test_wrong if {
	print("warned", main.warn)
	count(main.warn) == 1
}

todo_test_more if false
