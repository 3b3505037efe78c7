variable "region" {
  description = "Region that the emulator plays."
  type        = string
  default     = "eu-west-1"
}

variable "functions_package" {
  description = "Path of the zip that `cargo xtask package --arch x86_64` makes."
  type        = string
  default     = "../../../target/package/functions-x86_64.zip"
}

variable "endpoint" {
  description = "URL of the emulator, as tasks on the host's network see it."
  type        = string
  default     = "http://127.0.0.1:4566"
}

variable "image" {
  description = "Image of the generator in the local Docker engine."
  type        = string
  default     = "floodgate-generator:latest"
}

variable "schedules" {
  description = "Runs that start by the clock, as in the root module."
  type = map(object({
    expression = string
    project    = string
    test       = string
  }))
  default = {}
}
