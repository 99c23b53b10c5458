package c

f() = x { x := input.n }

name(o) = s { o.kind == "a"; t := o.one; s := t } { o.kind == "b"; u := 1; v := u; s := o.two }

deny[{"msg": msg}] { input.a == 1; other := input.b; msg := sprintf("one %v", [other]) } {
    input.a == 2
    msg := "two"
}

test_first { deny == {{"msg": "one 5"}} with input as {"a": 1, "b": 5} }
test_second { deny == {{"msg": "two"}} with input as {"a": 2} }
test_name { name({"kind": "b", "two": 7}) == 7; name({"kind": "a", "one": 3}) == 3 }
test_no_arguments { x := f() with input as {"n": 4}; x == 4 }
