run "x"   {}
