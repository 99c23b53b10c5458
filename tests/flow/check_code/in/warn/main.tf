variable "unused" {
  default = 1
}

variable "list" {
  type = list(string)
}

locals {
  old = "${var.list}"
}

resource "terraform_data" "a" {
  input      = local.old.0
  depends_on = ["terraform_data.b"]
}

resource "terraform_data" "b" {
  count = var.list == [] ? 0 : 1
}

module "elsewhere" {
  source  = "example/none/test"
  version = "1.0.0"
}
