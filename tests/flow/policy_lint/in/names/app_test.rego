package app

test_deney if count(deney) == 0
