variable "name" {
  type        = string
  description = "Name of the deployment; names of what is made here start with it."
}
