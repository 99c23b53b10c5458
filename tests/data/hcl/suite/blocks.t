result_type = object({
  name   = string
  rule   = list(object({ port = number, to = list(string) }))
  tag    = map(map(object({ value = string })))
  mode   = string
  twice  = number
})
result = {
  name = "n7"
  rule = [{ port = 80, to = ["a", "b"] }, { port = 443, to = null }]
  tag = {
    s = { one = { value = "1" }, two = { value = "7" } }
    t = { one = { value = null } }
  }
  mode   = "plain"
  twice  = 8
}
