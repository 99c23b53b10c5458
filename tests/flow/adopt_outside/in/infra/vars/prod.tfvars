n = 5 # five
