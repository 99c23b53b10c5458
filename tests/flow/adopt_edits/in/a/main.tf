locals {
  sizes = { web = 1 }
}

resource "terraform_data" "web" {
  input = {
    size  = local.sizes.web
    ports = [80, 443] # both
    tags = {
      env  = "dev" # which
      team = "a"
    }
  }

  lifecycle {
    ignore_changes = [triggers_replace]
  }
}

resource "terraform_data" "many" {
  for_each = {
    p = 1
    q = 2
  }
  input = each.value
}
