locals {
  c = 'x'
}
