variable "n" {
  type    = number
  default = 5

  validation {
    condition     = var.n < 5
    error_message = "n must be below 5."
  }
}

variable "secret" {
  type      = number
  sensitive = true
  default   = 4
}

resource "terraform_data" "a" {
  count = var.n
  input = var.secret
}
