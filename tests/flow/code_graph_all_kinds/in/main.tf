variable "p" { default = "x" }
resource "null_resource" "base" {}
resource "random_pet" "name" { keepers = { b = null_resource.base.id } }
data "local_file" "f" { filename = random_pet.name.id }
locals { url = "http://${data.local_file.f.content}" }
resource "time_static" "t" {}
resource "lab6_row" "a" { name = "r" }
resource "lab6_row" "b" {
  provider = lab6.plain
  name     = "r"
  lifecycle {
    replace_triggered_by = [null_resource.other]
    precondition {
      condition     = length(local_file.w.content) > 0
      error_message = "no"
    }
  }
}
resource "null_resource" "other" {
  count = length(random_pet.name.id)
  provisioner "local-exec" { command = "echo ${time_static.t.id}" }
  connection { host = lab6_row.a.id }
}
resource "local_file" "w" {
  filename   = "w"
  content    = join(",", null_resource.other[*].id)
  depends_on = [module.sub]
}
module "sub" {
  source     = "./sub"
  for_each   = toset(["a", "b"])
  x          = lab6_row.a.id
  providers  = { lab6 = lab6.plain }
  depends_on = [random_pet.late]
}
resource "random_pet" "late" {}
output "o" { value = module.sub["a"].y }
resource "null_resource" "end" { triggers = { for k, m in module.sub : k => m.y } }
check "c" {
  data "local_file" "scoped" { filename = local_file.w.filename }
  assert {
    condition     = data.local_file.scoped.content != ""
    error_message = "no"
  }
}
import {
  to = random_pet.late
  id = "x"
}
terraform {
  required_providers {
    lab6 = { source = "plumb.test/lab/lab6" }
  }
}
provider "lab6" {
  store = local.url
}
provider "lab6" {
  alias = "plain"
  store = "http://${time_static.t.id}"
}
