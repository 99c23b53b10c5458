data "terraform_remote_state" "net" {
  backend = "local"
  config  = { path = "${path.module}/nothing.tfstate" }
}
check "net" {
  assert {
    condition     = data.terraform_remote_state.net.outputs.vpc == "vpc-1"
    error_message = "vpc is ${data.terraform_remote_state.net.outputs.vpc}"
  }
}
