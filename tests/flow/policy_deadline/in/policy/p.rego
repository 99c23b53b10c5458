package main

xs := numbers.range(1, 1000)

deny_loop contains "never" if xs[_] + xs[_] + xs[_] + xs[_] + xs[_] == -1

deny contains "a thing" if input.kind == "Thing"
