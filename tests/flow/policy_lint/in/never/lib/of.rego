package lib

of("aws") := 1

of("azure") := 2

warning contains "of what, is this package's business" if input.open

test_of if not of("gcp")
