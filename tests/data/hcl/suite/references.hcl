one = a.b[0].c

two = "x ${a.b[0]["c"]}"
