resource "terraform_data" "motd" {
  input = file("${path.module}/../../shared/motd.txt")
}
