package rules

import rego.v1

deny contains sprintf("%s is not for %s", [input.kind, data.who]) if input.kind == "Pod"
