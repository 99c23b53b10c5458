package main

import data.limits

deny contains "big" if input.size > limits.size

warn_soon contains "soon" if not data.limits.later
