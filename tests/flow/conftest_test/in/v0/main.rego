package main

deny[msg] { input.x == 1; msg := "x is one" }
