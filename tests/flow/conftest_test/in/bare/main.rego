package main

deny if input == null

warn contains "nothing in it" if input == null
