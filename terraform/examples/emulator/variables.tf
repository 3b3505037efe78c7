variable "region" {
  description = "Region that the emulator represents."
  type        = string
  default     = "eu-west-1"
}

variable "functions_package" {
  description = "Path of the zip created by `cargo xtask package --arch x86_64`."
  type        = string
  default     = "../../../target/package/functions-x86_64.zip"
}

variable "endpoint" {
  description = "URL of the emulator as seen by tasks on the host's network."
  type        = string
  default     = "http://127.0.0.1:4566"
}

variable "image" {
  description = "Image of the generator in the local Docker engine."
  type        = string
  default     = "floodgate-generator:latest"
}

variable "schedules" {
  description = "Scheduled runs, as in the root module."
  type = map(object({
    expression = string
    project    = string
    test       = string
  }))
  default = {}
}
