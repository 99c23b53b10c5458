locals {
  a = local.nope
  b = [1
}
