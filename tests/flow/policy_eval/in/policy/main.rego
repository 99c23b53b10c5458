package main

deny contains msg if {
	some r in input.resource_changes
	r.type == "aws_s3_bucket"
	not r.change.after.tags.owner
	print("no owner:", r.address)
	msg := sprintf("%s has no owner; ask %s", [r.address, data.teams.storage.name])
}

allow if count(deny) == 0

ratio := 1 / input.zero
