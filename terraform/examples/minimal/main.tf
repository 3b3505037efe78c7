provider "aws" {
  region = var.region
}

module "floodgate" {
  source = "../.."

  functions_package = var.functions_package

  # A trial stack: `terraform destroy` deletes everything.
  force_destroy = true
}
