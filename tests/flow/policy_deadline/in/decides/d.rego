package decides

xs := numbers.range(1, 1000)

decision contains {"decision": "notify", "reason": "never"} if xs[_] + xs[_] + xs[_] + xs[_] + xs[_] == -1
