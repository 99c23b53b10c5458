variable "acl" {
  default = "public-read"
}
resource "aws_s3_bucket" "a" {
  acl = var.acl
}
