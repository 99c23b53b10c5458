package plain

import future.keywords.not

p if not { input.x == 1 }

q := upper("a")
