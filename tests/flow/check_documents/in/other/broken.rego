package broken

import rego.v1

deny contains 7 if input.kind == "Secret"

deny contains {"text": "no msg"} if input.kind == "Secret"

deny_twice := x if {
	input.kind == "Secret"
	some x in [1, 2]
}

deny_placed contains {"msg": "says itself where", "_loc": {"file": "chart.yaml", "line": 12}} if input.kind == "Secret"

deny_waived contains "not told" if input.kind == "Secret"

exception contains ["waived"] if input.kind == "Secret"
