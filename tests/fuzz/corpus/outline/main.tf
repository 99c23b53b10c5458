terraform {
  backend "s3" {}
  required_providers { aws = { source = "./x" } }
}
provider "aws" {} # comment
module "a" {
  source = "./a/${"b"}"
  x = <<-EOT
    source = "${join("", ["}"])}"
  EOT
}
