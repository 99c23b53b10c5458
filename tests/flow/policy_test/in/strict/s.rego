package s

import data.x

p if {
    y := 1
}

test_p if p
