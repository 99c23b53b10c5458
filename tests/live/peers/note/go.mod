module plumb.test/peers/note

go 1.24.0

tool plumb.test/peers/note

require golang.org/x/mod v0.29.0
