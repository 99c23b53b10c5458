variable "path" {
  type = string
}
check "net" {
  data "terraform_remote_state" "net" {
    backend = "local"
    config  = { path = var.path }
  }
  assert {
    condition     = data.terraform_remote_state.net.outputs.vpc == "vpc-2"
    error_message = "vpc is ${data.terraform_remote_state.net.outputs.vpc}"
  }
}
resource "terraform_data" "r" {
  input = var.path
}
