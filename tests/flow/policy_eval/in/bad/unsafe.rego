package bad

p if { y > 1 }

q if { z == w }
