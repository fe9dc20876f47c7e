# What nobody may guess. Made once, because uuid() gives another value with every plan; kept in the state.
resource "terraform_data" "origin_secret" {
  input = sensitive(sha256("${uuid()}${uuid()}"))

  lifecycle {
    ignore_changes = [input]
  }
}

# 128 bits of the gate snapshot's name. They are in the gatekeeper's name too, the only setting that Lambda@Edge has.
resource "terraform_data" "snapshot_id" {
  input = substr(sha256("${uuid()}${uuid()}"), 0, 32)

  lifecycle {
    ignore_changes = [input]
  }
}

locals {
  origin_secret = sensitive(coalesce(var.origin_secret, terraform_data.origin_secret.output))

  # 128 bits of the stage of both APIs, exchanged with the secret, which nobody can learn from it. There is no other stage:
  # whoever knows execute-api and not this is told "Not Found", or "Forbidden" by the WebSocket API, by API Gateway itself,
  # and no function is started. Guide of API Gateway, "Stages for HTTP APIs in API Gateway" and "Create routes for HTTP
  # APIs in API Gateway".
  api_stage = nonsensitive(substr(sha256("stage of the APIs, ${local.origin_secret}"), 0, 32))

  snapshot_behaviour = one([for behaviour in local.behaviours.behaviours : behaviour if behaviour.name == "snapshot"])
  snapshot_path      = replace(local.snapshot_behaviour.path_pattern, "*", terraform_data.snapshot_id.output)
  snapshot_key       = trimprefix(local.snapshot_path, "/")
}

# Without a value: the operator function fills it, and no private key is ever in the state. Deleted at once, for a name
# that waits for its deletion cannot be used again, and new keys are made by themselves.
resource "aws_secretsmanager_secret" "signing_keys" {
  #checkov:skip=CKV_AWS_149:Encrypted with the key that AWS manages for Secrets Manager; rights are on the secret itself.
  #checkov:skip=CKV2_AWS_57:Keys are rotated by the operator function, which knows what every edge has heard of.
  name                    = local.signing_keys
  description             = "Private keys that sign the tokens of ${var.name}. Made and rotated by the operator function."
  recovery_window_in_days = 0
}
