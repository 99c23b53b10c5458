variable "open" {
  default = ["0.0.0.0/0"]
}

variable "secret" {
  type      = string
  sensitive = true
  default   = "hunter2-secret"
}

resource "aws_security_group" "web" {
  ingress = [
    { from_port = 443, cidr_blocks = var.open },
    { from_port = 22, cidr_blocks = var.open },
  ]
}

resource "aws_db_instance" "main" {
  count    = 2
  password = var.secret
}
