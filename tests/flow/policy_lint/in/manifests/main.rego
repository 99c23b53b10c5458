package main

deny contains "x" if input.spec.open
