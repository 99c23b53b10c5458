variable "need" {
  type = string
}
variable "size" {
  type    = number
  default = 2
}
variable "secret" {
  type      = string
  default   = "hunter2"
  sensitive = true
}
locals {
  names = { for n in ["b", "a"] : n => upper(n) }
  tags  = merge({ team = "core" }, { stage = local.stage })
  stage = "test"
}
resource "terraform_data" "counted" {
  count = var.size
  input = { tag = local.tags.stage, index = count.index, pass = var.secret }
}
resource "terraform_data" "each" {
  for_each = local.names
  input    = "${each.value}-${terraform_data.counted[0].id}"
}
resource "terraform_data" "many" {
  count = var.need == "x" ? 1 : 0
}
resource "terraform_data" "gone" {
  for_each = toset([])
  input    = module.net.name
}
resource "terraform_data" "bare" {}
resource "lab_thing" "open" {
  size = 3
}
module "net" {
  source = "./net"
  prefix = local.stage
  id     = terraform_data.bare.id
}
module "away" {
  source = "example/away/lab"
}
output "name" {
  value = module.net.name
}
output "thing" {
  value = [lab_thing.open.size, lab_thing.open.arn, module.away.x]
}
