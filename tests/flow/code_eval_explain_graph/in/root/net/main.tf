variable "prefix" {
  type = string
}
variable "id" {
  type = string
}
resource "terraform_data" "inner" {
  input = var.id
}
output "name" {
  value = "${var.prefix}-${terraform_data.inner.id}"
}
