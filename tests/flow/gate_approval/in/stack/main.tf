resource "x_thing" "web" {
  size = "small"
}
resource "x_thing" "scaled" {
  replicas = 2
}
resource "x_door" "front" {
  open   = false
  colour = "red"
}
