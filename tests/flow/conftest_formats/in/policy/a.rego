package main
import rego.v1
deny contains msg if { input.kind == "A"; msg := "first line\nsecond, line: 100%" }
deny_x contains {"msg": "with <meta> & \"q\"", "details": {"a": 1}, "_loc": {"file": "b.yaml", "line": 7}} if input.kind == "A"
warn contains "beware" if input.kind == "B"
warn_e contains "excepted" if input.kind
exception contains ["e"] if input.kind == "A"
