package c

q := [1
