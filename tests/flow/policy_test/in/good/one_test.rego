package good

test_one if true
