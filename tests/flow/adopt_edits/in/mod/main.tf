module "m" {
  source = "./m"
  x      = "y" # why
}
