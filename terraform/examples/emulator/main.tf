# MiniStack's dummy keys and account. The endpoint comes from AWS_ENDPOINT_URL.
provider "aws" {
  region                      = var.region
  access_key                  = "test"
  secret_key                  = "test"
  s3_use_path_style           = true
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  # With a numeric account, the provider requests the bucket's tags from {account}.{host}, which doesn't work on loopback.
  skip_requesting_account_id = true
}

module "floodgate" {
  source = "../.."

  functions_package      = var.functions_package
  functions_architecture = "x86_64"
  emulator_endpoint      = var.endpoint
  engines                = { http = { image = var.image } }
  alarms                 = null
  projects               = { "*" = {}, shop = {}, demo = {} }
  force_destroy          = true
  schedules              = var.schedules
}
