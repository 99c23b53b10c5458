package old

deny[msg] { input.x; msg := "x" }
