package main_test

import data.main

test_denies if count(main.deny) == 1 with input as {"containers": [{"name": "a", "image": "x:latest"}]}

test_wrong if {
	print("denied:", main.deny)
	main.deny == {"x"} with input as {"containers": []}
}

test_again if true

test_again if false

test_conflict if main.half with input as {"x": 1, "y": 2}

test_data if data.teams.a == 1

todo_test_later if false

test_images[note] if {
	some note, c in {
		"tag": {"image": "x:latest", "want": 1},
		"digest": {"image": "x@sha256:0", "want": 0},
		"wrong": {"image": "x", "want": 1},
	}
	count(main.deny) == c.want with input as {"containers": [{"name": "a", "image": c.image}]}
}

nested.test_inner if true

test_not_true := 1
