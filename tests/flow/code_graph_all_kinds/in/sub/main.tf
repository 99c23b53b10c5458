variable "x" {}
terraform {
  required_providers {
    lab6 = { source = "plumb.test/lab/lab6" }
  }
}
resource "lab6_row" "in" { name = "r" }
resource "null_resource" "n" { triggers = { x = var.x, k = lab6_row.in.id } }
data "local_file" "d" { filename = "x" }
output "y" { value = null_resource.n.id }
