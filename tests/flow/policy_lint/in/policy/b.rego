package lib

here := 1
