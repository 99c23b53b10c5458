package other.ns
import rego.v1
deny contains "other" if input.kind == "A"
print_it if print("hello", input.kind)
warn contains "w" if print_it
