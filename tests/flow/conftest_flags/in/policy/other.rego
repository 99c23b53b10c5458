package other.sub

deny contains "other" if input.kind
