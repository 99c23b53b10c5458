package fails

f(x) := 1
f(x) := 2

deny contains "never" if f(input.env) == 3
