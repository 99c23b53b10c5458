package net

import data.lib.own
import input.resource as r

decision contains {"decision": "block", "reason": input.resource.adress} if {
	some c in input.changes
	c.pth == ["ingress"]
	not r.vals.x
	own.owned
}

decision contains {"decision": "notify", "reason": "all of these may be there"} if {
	input.finding == null
	input.env == "prod"
	input.resource.values.anything[_].at.all
	input.changes[_].before.anything
	r.tags.owner
}
