package named

f(1) := 1

latest_ok if f(2)

test_none if not f(2)
