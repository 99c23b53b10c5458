result = { one = "v", two = "x v" }

traversals {
  expect {
    ref = a.b[0].c
    from {
      line   = 1
      column = 7
      byte   = 6
    }
    to {
      line   = 1
      column = 15
      byte   = 14
    }
  }
  expect {
    ref = a.b[0]["c"]
    from {
      line   = 3
      column = 12
      byte   = 27
    }
    to {
      line   = 3
      column = 23
      byte   = 38
    }
  }
}
