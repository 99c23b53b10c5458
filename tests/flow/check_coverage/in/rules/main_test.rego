package main_test

import data.main

test_host if "host network" in main.deny with input as {"spec": {"hostNetwork": true}}
