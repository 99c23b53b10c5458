package lib.names

first := "a"
