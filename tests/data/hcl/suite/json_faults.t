# A name that nobody knows, the one that is missing (at the closing brace), a number that is none, a
# second block (at the bracket of the array).
diagnostics {
  error {
    from {
      line   = 2
      column = 3
      byte   = 4
    }
    to {
      line   = 2
      column = 9
      byte   = 10
    }
  }
  error {
    from {
      line   = 7
      column = 1
      byte   = 71
    }
    to {
      line   = 7
      column = 2
      byte   = 72
    }
  }
  error {
    from {
      line   = 4
      column = 14
      byte   = 42
    }
    to {
      line   = 4
      column = 20
      byte   = 48
    }
  }
  error {
    from {
      line   = 3
      column = 11
      byte   = 27
    }
    to {
      line   = 3
      column = 12
      byte   = 28
    }
  }
}
