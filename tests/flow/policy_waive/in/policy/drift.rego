package drift

decision contains {"decision": "revert", "severity": "high", "reason": reason, "paths": [["password"]]} if {
	some change in input.changes
	change.path_text == "password"
	reason := sprintf("the secret of %s was changed by hand, to %s", [input.resource.address, change.after])
}

warn contains sprintf("%s is gone", [input.resource.address]) if input.finding.class == "missing"
