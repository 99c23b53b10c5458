package main

import rego.v1

deny contains sprintf("text %v", [parse_config("toml", "a = 1")])

deny contains sprintf("file %v", [parse_config_file("../app.ini")])

deny contains sprintf("files %v", [parse_combined_config_files(["../app.ini", "../pod.yaml"])])

deny contains "no parser" if not parse_config("nope", "")
