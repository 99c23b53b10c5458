package abbreviated

# The insides of comprehensions and templates are no part of how a term is told: these are two things each.
deny contains "members" if {
	count([x | some x in input.a]) == 1
	count([x | some x in input.b]) == 2
	input[$"{input.x}"] == 1
	input[$"{input.y}"] == 2
}
