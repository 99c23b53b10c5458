package main

deny[msg] if msg := "no"
