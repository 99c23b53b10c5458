package main

deny contains sprintf("%d %s %v %v %v", [c.Stage, c.Cmd, c.Flags, c.JSON, c.Value]) if some c in input
