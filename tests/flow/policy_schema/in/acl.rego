package main

# METADATA
# schemas:
#   - input.acl: schema.acl.rule
deny contains "not allowed" if not input.acl.alowed

# METADATA
# schemas:
#   - input: schema.acl.other
warn contains "x" if input.x
