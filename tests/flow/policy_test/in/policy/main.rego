package main

deny contains msg if {
	some c in input.containers
	endswith(c.image, ":latest")
	msg := sprintf("%s: pin the image", [c.name])
}

half := 1 if input.x == 1

half := 2 if input.y == 2
