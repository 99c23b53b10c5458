variable "names" {
  type    = set(string)
  default = ["a", "b"]
}

module "net" {
  source   = "./net"
  for_each = var.names
  name     = each.key
}

output "ids" {
  value = { for k, m in module.net : k => m.id }
}
