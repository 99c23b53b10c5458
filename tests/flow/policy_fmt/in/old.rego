package d
deny[msg]{msg="x"}
