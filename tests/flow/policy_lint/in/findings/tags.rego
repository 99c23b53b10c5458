package tags

deny contains "no owner" if {
	input.resource.type == "aws_vpc"
	not input.resource.tgas.owner
}
