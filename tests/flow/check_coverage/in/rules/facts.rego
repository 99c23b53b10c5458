package facts

limit := 3
