# what the front needs
resource "terraform_data" "web" {
  input = "a"
}

# what it keeps
resource "terraform_data" "db" {
  input = terraform_data.web.input
}

resource "terraform_data" "many" {
  count = 2
  input = "m"
}
