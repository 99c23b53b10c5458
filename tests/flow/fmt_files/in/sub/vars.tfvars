a="x"
