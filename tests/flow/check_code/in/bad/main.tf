terraform {
  required_version = "1.x"
}

resource "terraform_data" "a" {
  count    = 1
  for_each = {}
  input    = var.nope
}

variable "source" {}
