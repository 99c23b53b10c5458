variable "a" {
type="string"
}
locals {
 b = "${var.a}" # why
 long_name=1 # because
}
