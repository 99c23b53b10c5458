package shop

import rego.v1

decision contains {"decision": "block", "severity": "high", "reason": sprintf("%s has no owner", [input.resource.address])} if {
	input.kind == "change"
	not input.resource.tags.owner
}
