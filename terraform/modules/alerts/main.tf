data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

# Numbers and senders take days to register and belong to the account: they are an input. This is what goes with them.
resource "aws_pinpointsmsvoicev2_configuration_set" "this" {
  name                 = var.name
  default_message_type = "TRANSACTIONAL"
}

resource "aws_pinpointsmsvoicev2_opt_out_list" "this" {
  name = var.name
}

# Whoever can read the table of connections must still not be able to read telephone numbers.
data "aws_iam_policy_document" "key" {
  #checkov:skip=CKV_AWS_109:The policy of a key speaks of that key alone.
  #checkov:skip=CKV_AWS_111:The policy of a key speaks of that key alone.
  #checkov:skip=CKV_AWS_356:The policy of a key speaks of that key alone, and names it *.
  statement {
    sid       = "AccountDecidesByItsPolicies"
    actions   = ["kms:*"]
    resources = ["*"]

    principals {
      type        = "AWS"
      identifiers = ["arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.current.account_id}:root"]
    }
  }
}

resource "aws_kms_key" "this" {
  description             = "Telephone numbers of visitors of ${var.name} who asked for an alert."
  enable_key_rotation     = true
  deletion_window_in_days = 7
  policy                  = data.aws_iam_policy_document.key.json
}

resource "aws_kms_alias" "this" {
  name          = "alias/${var.name}-alerts"
  target_key_id = aws_kms_key.this.key_id
}
