module "m" {
  source   = "./m"
  for_each = { there = "there.tfstate", gone = "gone.tfstate" }
  path     = "${path.module}/${each.value}"
}
