check "net" {
  data "terraform_remote_state" "net" {
    backend = "local"
    config  = { path = "${path.module}/nothing.tfstate" }
  }
  assert {
    condition     = data.terraform_remote_state.net.outputs.vpc == "vpc-1"
    error_message = "vpc is ${data.terraform_remote_state.net.outputs.vpc}"
  }
  assert {
    condition     = terraform_data.a.input == 2
    error_message = "not evaluated: the data source of this check has failed"
  }
}
check "other" {
  assert {
    condition     = terraform_data.a.input == 2
    error_message = "input is ${terraform_data.a.input}"
  }
}
resource "terraform_data" "a" {
  input = 1
}
