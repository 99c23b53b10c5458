package main

import data.lib.names

deny contains "host network" if input.spec.hostNetwork

deny_ipc contains "host ipc" if input.spec.hostIpc

warn contains names.first if input.kind == "Job"

denny contains "never asked" if input.kind == "Pod"
