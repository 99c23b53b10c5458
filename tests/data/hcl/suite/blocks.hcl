name  = "n${x}"
count = 4

rule {
  port = 80
  to   = ["a", "b"]
}
tag "s" "one" { value = "1" }
rule { port = "443" }
tag "s" "two" { value = x }
tag "t" "one" {}
