package bad

import data.foo

p := 1
