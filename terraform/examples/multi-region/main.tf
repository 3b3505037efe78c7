provider "aws" {
  region = var.region
}

module "floodgate" {
  source = "../.."

  name              = "floodgate-world"
  functions_package = var.functions_package

  # Fargate on ARM costs a fifth less.
  engines = {
    http = { architectures = ["arm64", "x86_64"] }
  }

  # Definitions choose regions, such as `run: {regions: [{region: eu-west-1, weight: 2}, {region: us-east-1, weight: 1}]}`. One
  # provider is enough: since version 6, it takes the region from each resource.
  regions = {
    us-east-1      = { vpc = { cidr = "10.91.0.0/20" } }
    ap-southeast-2 = { vpc = { cidr = "10.92.0.0/20" }, vcpu_quota = 64 }
  }
}
