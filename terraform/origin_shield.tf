# Origin Shield is in the Regions that have a regional edge cache, and CloudFront refuses the name of any other; elsewhere the
# nearest one serves. A Region that is not here has none: a guess would stop the apply, and without one the site works.
# https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/origin-shield.html#choose-origin-shield-region
locals {
  own_origin_shield = [
    "ap-northeast-1", "ap-northeast-2", "ap-south-1", "ap-southeast-1", "ap-southeast-2", "eu-central-1", "eu-west-1",
    "eu-west-2", "sa-east-1", "us-east-1", "us-east-2", "us-west-2",
  ]

  # The first eight are named by that page, the others are the nearest on the map.
  nearest_origin_shield = {
    af-south-1   = "eu-west-1"
    ap-east-1    = "ap-southeast-1"
    ca-central-1 = "us-east-1"
    eu-north-1   = "eu-west-2"
    eu-south-1   = "eu-central-1"
    eu-west-3    = "eu-west-2"
    me-south-1   = "ap-south-1"
    us-west-1    = "us-west-2"

    ap-east-2      = "ap-northeast-1"
    ap-northeast-3 = "ap-northeast-1"
    ap-south-2     = "ap-south-1"
    ap-southeast-3 = "ap-southeast-1"
    ap-southeast-4 = "ap-southeast-2"
    ap-southeast-5 = "ap-southeast-1"
    ap-southeast-6 = "ap-southeast-2"
    ap-southeast-7 = "ap-southeast-1"
    ca-west-1      = "us-west-2"
    eu-central-2   = "eu-central-1"
    eu-south-2     = "eu-west-2"
    il-central-1   = "eu-central-1"
    me-central-1   = "ap-south-1"
    mx-central-1   = "us-east-1"
  }

  origin_shield_region = contains(local.own_origin_shield, local.region) ? local.region : lookup(local.nearest_origin_shield, local.region, null)
}
