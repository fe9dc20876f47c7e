# For a role or a permission set of those who operate; nobody gets it by applying.
data "aws_iam_policy_document" "operator" {
  statement {
    sid       = "OperateWaitingRoom"
    actions   = ["execute-api:Invoke"]
    resources = ["${module.http_api.execution_arn}/*/*${local.behaviours.prefix}/v1/admin/*"]
  }
}
