package main

deny if input.x == 1
