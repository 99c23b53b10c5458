variable "port" {
  default = 80
}

locals {
  names = ["a", "b"]
}

resource "terraform_data" "a" {
  input = templatefile("${path.module}/templates/init.tftpl", {
    port  = var.port
    hosts = join(" ", local.names)
  })
  triggers_replace = file("${path.module}/templates/motd")
}
