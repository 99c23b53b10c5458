resource "x_door" "d" {
  count  = 300
  colour = "red"
}
