package other

deny contains "x" if input.kind == "Service"
