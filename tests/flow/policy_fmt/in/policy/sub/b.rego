package b

q := 2
