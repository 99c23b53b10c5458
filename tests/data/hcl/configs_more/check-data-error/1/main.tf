check "net" {
  data "terraform_remote_state" "net" {
    backend = "local"
    config  = { path = terraform_data.a.input.nothing }
  }
  assert {
    condition     = data.terraform_remote_state.net.outputs.vpc == "vpc-1"
    error_message = "vpc"
  }
}
resource "terraform_data" "a" {
  input = { something = 1 }
}
