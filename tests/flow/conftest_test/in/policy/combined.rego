package combined

deny contains msg if {
	some file in input
	file.contents.kind == "Service"
	not deployed(file.contents.metadata.name)
	msg := sprintf("%s in %s has no deployment", [file.contents.metadata.name, file.path])
}

deployed(name) if {
	some file in input
	file.contents.kind == "Deployment"
	file.contents.metadata.name == name
}
