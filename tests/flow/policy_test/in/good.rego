package old

p { true }

test_old { p }
