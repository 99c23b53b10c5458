resource "terraform_data" "a" {
  inputs = local.gone
}

variable "n" {
  type    = number
  default = "x"
}
