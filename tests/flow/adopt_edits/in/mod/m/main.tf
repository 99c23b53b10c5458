variable "x" {}

resource "terraform_data" "x" {
  input = var.x
}
