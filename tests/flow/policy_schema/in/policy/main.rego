package main

deny contains "no user" if not input.usr

deny contains "ssh" if "22" == input.ports[_]
