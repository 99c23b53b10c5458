package db

import rego.v1

open contains r if some r in input.values.root_module.resources

open contains i if {
	some r in input.resources
	some i in r.instances
}

deny contains sprintf("%v may be reached from anywhere", [r]) if {
	some r in open
	attributes := object.get(r, "values", object.get(r, "attributes", {}))
	attributes.publicly_accessible == true
}

deny contains sprintf("a secret %s, decoded %s", [v, base64.decode(v)]) if {
	input.kind == "Secret"
	some v in input.data
}
