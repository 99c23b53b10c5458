# The comma that is missing is told behind the array, what is left open at its start.
diagnostics {
  error {
    from {
      line   = 1
      column = 1
      byte   = 0
    }
    to {
      line   = 1
      column = 2
      byte   = 1
    }
  }
  error {
    from {
      line   = 3
      column = 9
      byte   = 21
    }
    to {
      line   = 3
      column = 10
      byte   = 22
    }
  }
}
