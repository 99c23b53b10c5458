package app

import data.lib

deny contains "a" if {
	some x in denylist
	x == input.name
	lib.violations[x]
}

# a helper of deny: no entry point
denylist contains "x"

# nobody uses it, beside a deny
deney contains "y" if input.y

deny contains "b" if not data.inventory.cluster.v1.Namespace[input.namespace]
