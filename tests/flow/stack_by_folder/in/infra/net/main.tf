resource "x_thing" "a" {
  size = "small"
}
