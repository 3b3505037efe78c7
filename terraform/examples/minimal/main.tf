provider "aws" {
  region = var.region
}

module "floodgate" {
  source = "../.."

  functions_package = var.functions_package

  # A stack to try things out: `terraform destroy` takes everything with it.
  force_destroy = true
}
