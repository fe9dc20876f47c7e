variable "name" {
  type        = string
  default     = "foyer"
  description = "Name of the deployment: names of everything start with it, and tokens name it as their issuer. Changing it makes everything anew."

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,18}[a-z0-9]$", var.name))
    error_message = "The name has 2 to 20 lower-case letters, digits and hyphens, starts with a letter and does not end with a hyphen: for example foyer or shop-eu."
  }
}

variable "origin_domain_name" {
  type        = string
  default     = null
  description = "Host name of the site's own servers (a load balancer, an API, a web server). A CloudFront distribution is made in front of it. Leave it out when you attach to an existing distribution."

  validation {
    condition     = var.origin_domain_name == null || can(regex("^([a-z0-9]([a-z0-9-]*[a-z0-9])?\\.)+[a-z][a-z0-9-]*[a-z0-9]$", lower(var.origin_domain_name)))
    error_message = "origin_domain_name is a host name without https:// and without a path, for example origin.example.com. CloudFront takes no IP address."
  }

  validation {
    condition     = (var.origin_domain_name != null) != (var.existing_distribution != null)
    error_message = "Set either origin_domain_name, to get a distribution in front of that host, or existing_distribution, to attach to one you have: one of them, and not both."
  }
}

variable "existing_distribution" {
  type = object({
    arn      = string
    site_url = optional(string)
  })
  default     = null
  description = "Distribution to attach to: its ARN, which alone may read the site bucket, and the site's address. Give its origins, behaviours and function association what the output `attachment` holds; examples/existing_distribution shows how."

  validation {
    condition     = var.existing_distribution == null || can(regex("^arn:aws[a-z-]*:cloudfront::[0-9]{12}:distribution/[A-Za-z0-9_-]+$", var.existing_distribution.arn))
    error_message = "existing_distribution.arn is the ARN of a CloudFront distribution, like arn:aws:cloudfront::123456789012:distribution/E2EXAMPLE: pass aws_cloudfront_distribution.<name>.arn."
  }

  validation {
    condition     = try(var.existing_distribution.site_url, null) == null || can(regex("^https://[^/]+$", var.existing_distribution.site_url))
    error_message = "existing_distribution.site_url is https:// and a host name, without a path or a slash at its end."
  }

  # Here and not beside security: what functions are told depends on that, and the distribution on them.
  validation {
    condition     = !(var.existing_distribution != null && (var.security.shield_advanced || var.security.web_acl_arn != null))
    error_message = "With existing_distribution, web ACL and Shield Advanced are set where the distribution is: leave security.web_acl_arn and security.shield_advanced out. With security.firewall the output web_acl_arn is what to set."
  }
}

variable "expected_joins_per_sec" {
  type        = number
  default     = 100
  description = "How many visitors join in the busiest second of a sale, over all zones: the one figure that sizes warm throughput of new tables, reserved concurrency, the API's throttle and the alarms. Give each zone its share as its own expected_joins_per_sec, which sets its shards. Warm throughput above 4,000 writes a second costs a fee once, and AWS does not lower it again; for tables that are there a plan says how to raise it."

  validation {
    condition     = var.expected_joins_per_sec >= 1 && var.expected_joins_per_sec <= 100000 && floor(var.expected_joins_per_sec) == var.expected_joins_per_sec
    error_message = "expected_joins_per_sec is a whole number from 1 to 100000. For more, spread zones over several deployments."
  }
}

variable "check_quotas" {
  type        = bool
  default     = true
  nullable    = false
  description = "Whether a plan reads the account's quotas (servicequotas:GetServiceQuota) and warns when they are below what expected_joins_per_sec needs."
}

variable "artifacts_dir" {
  type        = string
  default     = null
  description = "Directory with the zips of a release, or null for build/ of this checkout, where `make build` puts them. Without Python: download the zips and checksums of the release, check them with sha256sum -c --ignore-missing, and name the directory here."

  validation {
    condition     = var.artifacts_dir == null || try(length(var.artifacts_dir) > 0 && !endswith(var.artifacts_dir, "/"), false)
    error_message = "artifacts_dir is a directory's path without a slash at its end, or null for build/ of this checkout."
  }
}

variable "distribution" {
  type = object({
    domain = optional(object({
      names                    = list(string)
      certificate_arn          = optional(string)
      hosted_zone_id           = optional(string)
      address_records          = optional(bool, false)
      minimum_protocol_version = optional(string, "TLSv1.2_2025")
    }))
    origin = optional(object({
      protocol_policy = optional(string, "https-only")
      http_port       = optional(number, 80)
      https_port      = optional(number, 443)
      path            = optional(string, "")
      read_timeout    = optional(number, 30)
    }), {})
    forward_host_header  = optional(bool)
    site_cache_policy_id = optional(string)
    price_class          = optional(string, "PriceClass_All")
    error_page_path      = optional(string)
    access_logs_bucket   = optional(string)
  })
  default     = {}
  nullable    = false
  description = "The distribution in front of origin_domain_name: domain (host names, with a certificate_arn from us-east-1 or a hosted_zone_id in which a certificate is validated; with address_records the names lead here, whatever they led to: the moment a site that is live is cut over; minimum_protocol_version of TLS is TLSv1.2_2025, TLSv1.3_2025, or TLSv1.2_2021 for older browsers), origin (https-only, http-only or match-viewer, ports, path prefix, seconds to wait), forward_host_header (whether the origin is sent the host that the visitor asked for; by default with a domain, for nobody's servers know the name that CloudFront gives; true for an existing_distribution with names of yours; false for origins that know only their own name, such as an API Gateway), site_cache_policy_id (null: as the site's Cache-Control says), price_class, error_page_path (a page of yours that replaces every 503), access_logs_bucket (domain name of a bucket)."

  validation {
    condition     = var.distribution.domain == null || try(length(var.distribution.domain.names) > 0 && (var.distribution.domain.certificate_arn != null || var.distribution.domain.hosted_zone_id != null), false)
    error_message = "distribution.domain needs at least one name, and either certificate_arn (of a certificate in us-east-1) or hosted_zone_id (of the Route 53 zone in which one can be validated)."
  }

  validation {
    condition     = try(var.distribution.domain.certificate_arn, null) == null || can(regex("^arn:aws[a-z-]*:acm:us-east-1:", var.distribution.domain.certificate_arn))
    error_message = "CloudFront takes certificates from us-east-1 only: request distribution.domain.certificate_arn there."
  }

  validation {
    condition     = !try(var.distribution.domain.address_records, false) || try(var.distribution.domain.hosted_zone_id != null, false)
    error_message = "distribution.domain.address_records are written into a zone: give its hosted_zone_id, or leave address_records out and point the names at the output distribution.domain_name yourself."
  }

  validation {
    condition     = contains(["TLSv1.2_2021", "TLSv1.2_2025", "TLSv1.3_2025"], try(var.distribution.domain.minimum_protocol_version, "TLSv1.2_2025"))
    error_message = "distribution.domain.minimum_protocol_version is TLSv1.2_2021, TLSv1.2_2025 or TLSv1.3_2025."
  }

  validation {
    condition     = contains(["https-only", "http-only", "match-viewer"], var.distribution.origin.protocol_policy)
    error_message = "distribution.origin.protocol_policy is https-only, http-only or match-viewer."
  }

  validation {
    condition     = var.distribution.origin.path == "" || can(regex("^/.*[^/]$", var.distribution.origin.path))
    error_message = "distribution.origin.path starts with a slash and does not end with one, for example /shop; leave it out for none."
  }

  validation {
    condition     = var.distribution.origin.read_timeout >= 1 && var.distribution.origin.read_timeout <= 120
    error_message = "distribution.origin.read_timeout is 1 to 120 seconds; above 60 ask AWS for a higher quota first."
  }

  validation {
    condition     = contains(["PriceClass_100", "PriceClass_200", "PriceClass_All"], var.distribution.price_class)
    error_message = "distribution.price_class is PriceClass_100, PriceClass_200 or PriceClass_All."
  }

  validation {
    condition     = var.distribution.error_page_path == null || can(regex("^/[^*?]+$", var.distribution.error_page_path))
    error_message = "distribution.error_page_path is the path of one page, starting with a slash, for example /.waiting-room/pages/unavailable.html."
  }
}

variable "gate" {
  type = object({
    on_missing_snapshot = optional(string, "refuse")
    skip_destroy        = optional(bool, false)
  })
  default     = {}
  nullable    = false
  description = "The gatekeeper: on_missing_snapshot (refuse answers 503 on every path while there is no gate snapshot younger than 5 minutes, pass lets everybody in) and skip_destroy (leave the function in the account on destroy instead of waiting up to 3 h for its replicas to go)."

  validation {
    condition     = contains(["refuse", "pass"], var.gate.on_missing_snapshot)
    error_message = "gate.on_missing_snapshot is refuse (the gate is closed without a snapshot) or pass (it is open)."
  }
}

variable "functions" {
  type = object({
    reserve_concurrency = optional(bool, true)
    tracing             = optional(bool, false)
    layer_arns          = optional(list(string), [])
    memory_mb           = optional(map(number), {})
    log_retention_days  = optional(number, 30)
  })
  default     = {}
  nullable    = false
  description = "All functions but the gatekeeper: reserve_concurrency (keep concurrency for the bouncer; where the account's quota allows none a plan warns and reserves nothing), tracing (AWS X-Ray), layer_arns (more layers, such as an OpenTelemetry collector; arm64), memory_mb by component where it should differ, log_retention_days."

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.functions.log_retention_days)
    error_message = "functions.log_retention_days is a number of days that CloudWatch knows: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731 or more (see its documentation)."
  }

  validation {
    condition     = alltrue([for memory in values(var.functions.memory_mb) : memory >= 128 && memory <= 10240])
    error_message = "functions.memory_mb is 128 to 10240 for each component."
  }

  validation {
    condition     = length(setsubtract(keys(var.functions.memory_mb), keys(jsondecode(file("${path.module}/../schemas/functions.json")).functions))) == 0
    error_message = "functions.memory_mb names a component that does not exist: the components are the keys in schemas/functions.json."
  }

  validation {
    condition     = length(var.functions.layer_arns) <= 4 && alltrue([for arn in var.functions.layer_arns : can(regex("^arn:aws[a-z-]*:lambda:[a-z0-9-]+:[0-9]+:layer:[^:]+:[0-9]+$", arn))])
    error_message = "functions.layer_arns are at most 4 ARNs of layer versions, with the version number at the end; Lambda takes 5 and one is ours."
  }
}

variable "tables" {
  type = object({
    deletion_protection = optional(bool, true)
    kms_key_arn         = optional(string)
  })
  default     = {}
  nullable    = false
  description = "All tables: deletion_protection (set it to false and apply before you destroy), kms_key_arn (customer-managed key; null uses the key that AWS owns, which is free)."

  validation {
    condition     = var.tables.kms_key_arn == null || can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/", var.tables.kms_key_arn))
    error_message = "tables.kms_key_arn is the ARN of a key (not of an alias), like arn:aws:kms:eu-west-1:123456789012:key/..., in the Region of the deployment."
  }
}

variable "archive" {
  type = object({
    enabled                      = optional(bool, true)
    infrequent_access_after_days = optional(number, 30)
    glacier_after_days           = optional(number, 90)
    expire_after_days            = optional(number, 365)
    force_destroy                = optional(bool, false)
  })
  default     = {}
  nullable    = false
  description = "Archive of every change of a place in line, made when there is a recorder: days until files move to Infrequent Access, to Glacier (where Athena no longer reads them) and go; force_destroy lets destroy delete what is in it."

  validation {
    condition = (
      var.archive.infrequent_access_after_days >= 30 &&
      var.archive.glacier_after_days >= var.archive.infrequent_access_after_days + 30 &&
      var.archive.expire_after_days > var.archive.glacier_after_days
    )
    error_message = "archive: S3 wants 30 days before Infrequent Access, another 30 before Glacier, and a file must expire after both: for example 30, 90 and 365."
  }
}

variable "metrics" {
  type = object({
    backend = optional(string, "cloudwatch")
  })
  default     = {}
  nullable    = false
  description = "Business metrics: backend cloudwatch, or timestream for accounts that still have Timestream for LiveAnalytics (closed to new customers since June 2025)."

  validation {
    condition     = contains(["cloudwatch", "timestream"], var.metrics.backend)
    error_message = "metrics.backend is cloudwatch or timestream. For InfluxDB write a port: the README says how."
  }
}

variable "alerts" {
  type = object({
    origination_identity_arn = string
  })
  default     = null
  description = "SMS and voice alerts to visitors who asked for one, through AWS End User Messaging: ARN of a phone number, sender id or pool that is registered already; null for none. Adds a KMS key for telephone numbers (1 USD a month)."

  validation {
    condition     = var.alerts == null || can(regex("^arn:aws[a-z-]*:sms-voice:[a-z0-9-]+:[0-9]{12}:(phone-number|sender-id|pool)/.+$", var.alerts.origination_identity_arn))
    error_message = "alerts.origination_identity_arn is the ARN of a phone number, sender id or pool of AWS End User Messaging, like arn:aws:sms-voice:eu-west-1:123456789012:phone-number/phone-...: register one first, which takes days."
  }
}

variable "phone_codes" {
  type = object({
    origination_identity      = string
    notify_code_configuration = string
    configuration_set         = optional(string)
  })
  default     = null
  description = "Codes to phones, for zones of one place for each phone, through AWS End User Messaging: what they come from (ARN of a phone number, sender id or pool that is registered already), the notify code configuration with their texts (id or ARN; it needs a template for each channel that zones use), and a configuration set if delivery is to be watched; null for none. AWS takes a fee for each code on top of the message. No account of ours has it: the rights end-user-messaging:SendNotifyCodeVerification and ValidateNotifyCodeVerification are given on every resource, and whether a sender needs sms-voice rights beside them was never tried."

  validation {
    condition     = var.phone_codes == null || can(regex("^arn:aws[a-z-]*:sms-voice:[a-z0-9-]+:[0-9]{12}:(phone-number|sender-id|pool)/.+$", var.phone_codes.origination_identity))
    error_message = "phone_codes.origination_identity is the ARN of a phone number, sender id or pool of AWS End User Messaging, like arn:aws:sms-voice:eu-west-1:123456789012:phone-number/phone-...: register one first, which takes days."
  }

  validation {
    condition     = var.phone_codes == null || can(regex("^[A-Za-z0-9_:/-]{1,256}$", var.phone_codes.notify_code_configuration))
    error_message = "phone_codes.notify_code_configuration is the id or ARN of a notify code configuration: make one with a template for each channel that zones use (aws endusermessaging create-notify-code-configuration)."
  }
}

variable "security" {
  type = object({
    firewall                   = optional(bool, false)
    requests_per_5_min         = optional(number, 300)
    blocked_requests_per_5_min = optional(number, 100000)
    managed_rule_groups        = optional(list(object({ name = string, count = optional(bool, false) })), [{ name = "AWSManagedRulesAmazonIpReputationList" }, { name = "AWSManagedRulesKnownBadInputsRuleSet" }])
    challenge                  = optional(bool, false)
    bots = optional(object({
      inspection_level = optional(string, "COMMON")
      # Signatures (Web Bot Auth) are looked at from version 4.0 on, whatever version is the rule group's default.
      version = optional(string, "Version_5.0")
      # Guide of AWS WAF, "AWS WAF Bot Control rule group"; labels of Web Bot Auth are also found there without `bot:`, and
      # `invalid` as `failed`. Verified bots have no signal: label, everybody else with a category is unverified. Whoever
      # signs says that it is a machine: with a signature that proves nobody it is an automated one.
      labels = optional(map(list(string)), {
        data_center = ["awswaf:managed:aws:bot-control:signal:known_bot_data_center"]
        automated = [
          "awswaf:managed:aws:bot-control:signal:automated_browser",
          "awswaf:managed:aws:bot-control:signal:non_browser_user_agent",
          "awswaf:managed:aws:bot-control:targeted:signal:automated_browser",
          "awswaf:managed:aws:bot-control:bot:category:",
          "awswaf:managed:aws:bot-control:bot:web_bot_auth:",
          "awswaf:managed:aws:bot-control:web_bot_auth:",
        ]
        crawler = [
          "awswaf:managed:aws:bot-control:bot:verified",
          "awswaf:managed:aws:bot-control:bot:user_triggered:verified",
          "awswaf:managed:aws:bot-control:bot:developer_platform:verified",
        ]
        verified = [
          "awswaf:managed:aws:bot-control:bot:web_bot_auth:verified",
          "awswaf:managed:aws:bot-control:web_bot_auth:verified",
        ]
      })
    }))
    web_acl_arn     = optional(string)
    shield_advanced = optional(bool, false)
  })
  default     = {}
  nullable    = false
  description = "firewall (an AWS WAF web ACL, about 9 USD a month and 0.60 USD per million requests), requests_per_5_min that the visitors of one address may make before its browsers solve a silent challenge first (offices and mobile networks share addresses: nobody is refused; apps that join by the API cannot solve it and need a higher limit, or the SDK of AWS WAF), blocked_requests_per_5_min beyond which an address gets 429, managed_rule_groups (`count` only counts), challenge (browsers that enter solve a silent challenge first), bots (Bot Control of AWS WAF looks at who joins and who claims, in its `version`, null for the rule group's own default; the token service is told the class whose labels are found, of several the last of data_center, automated, crawler, verified; a label with a colon at its end stands for all that begin so; what becomes of each class is the zone's setting `machines`; about 15 USD a month and 1 USD per million joins more), web_acl_arn (a web ACL of yours instead), shield_advanced (protect the distribution; the account must have subscribed, 3,000 USD a month)."

  validation {
    condition     = var.security.requests_per_5_min >= 10 && var.security.requests_per_5_min <= 2000000000
    error_message = "security.requests_per_5_min is at least 10; a visitor alone makes about ten requests, and hundreds may share an address."
  }

  validation {
    condition     = var.security.blocked_requests_per_5_min >= 100 * var.security.requests_per_5_min && var.security.blocked_requests_per_5_min <= 2000000000
    error_message = "security.blocked_requests_per_5_min is at least 100 times requests_per_5_min: ten thousand people share an address of a mobile network, and all of them come at a start."
  }

  validation {
    condition     = !(var.security.firewall && var.security.web_acl_arn != null)
    error_message = "Set security.firewall for a web ACL of ours, or security.web_acl_arn for one of yours: a distribution has only one."
  }

  validation {
    condition     = var.security.web_acl_arn == null || can(regex("^arn:aws[a-z-]*:wafv2:us-east-1:[0-9]{12}:global/webacl/", var.security.web_acl_arn))
    error_message = "security.web_acl_arn is the ARN of a web ACL with scope CLOUDFRONT, which is always in us-east-1: arn:aws:wafv2:us-east-1:<account>:global/webacl/..."
  }

  validation {
    condition     = var.security.firewall || !var.security.challenge
    error_message = "security.challenge is a rule of the firewall: set security.firewall too."
  }

  validation {
    condition     = var.security.firewall || var.security.bots == null
    error_message = "security.bots are rules of the firewall: set security.firewall too."
  }

  validation {
    condition = var.security.bots == null || try(
      contains(["COMMON", "TARGETED"], var.security.bots.inspection_level) && length(var.security.bots.labels) > 0
      && alltrue([for class, labels in var.security.bots.labels : contains(["data_center", "automated", "crawler", "verified"], class) && length(labels) > 0])
      && alltrue([for label in flatten(values(var.security.bots.labels)) : can(regex("^[A-Za-z0-9_:-]+$", label))]),
      false,
    )
    error_message = "security.bots has an inspection_level of COMMON or TARGETED and labels by class: a list of at least one for each of data_center, automated, crawler and verified that is told."
  }

  validation {
    condition     = alltrue([for group in var.security.managed_rule_groups : can(regex("^AWSManagedRules[A-Za-z0-9]+$", group.name))])
    error_message = "security.managed_rule_groups are names of rule groups of AWS, like AWSManagedRulesKnownBadInputsRuleSet."
  }
}

variable "monitoring" {
  type = object({
    alarms    = optional(bool, true)
    emails    = optional(list(string), [])
    dashboard = optional(bool, true)
    budget = optional(object({
      monthly_usd = number
      emails      = list(string)
    }))
  })
  default     = {}
  nullable    = false
  description = "alarms (with SNS topics to subscribe to), emails that are written to when one goes off, dashboard (an account's first three are free), budget (USD a month of the whole account, and who is told)."

  validation {
    condition     = alltrue([for email in concat(var.monitoring.emails, try(var.monitoring.budget.emails, [])) : can(regex("^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$", email))])
    error_message = "monitoring.emails and monitoring.budget.emails are e-mail addresses."
  }

  validation {
    condition     = var.monitoring.budget == null || try(var.monitoring.budget.monthly_usd > 0 && length(var.monitoring.budget.emails) > 0, false)
    error_message = "monitoring.budget needs monthly_usd above 0 and at least one e-mail address."
  }

  validation {
    condition     = var.monitoring.alarms || length(var.monitoring.emails) == 0
    error_message = "monitoring.emails are told of alarms: set monitoring.alarms to true, or leave the addresses out."
  }
}

variable "retention_days" {
  type = object({
    places  = optional(number)
    minutes = optional(number)
  })
  default     = {}
  nullable    = false
  description = "Days that DynamoDB keeps what is stored, after its last change: places (places in line with their sessions, and counts by network; 7 unless you say otherwise, 1 to 365), minutes (sums by the minute, about nobody; 90, 1 to 3650). How long the archive keeps changes of places is archive.expire_after_days; PRIVACY.md has it all."

  validation {
    condition     = alltrue([for days in [var.retention_days.places, var.retention_days.minutes] : days == null || try(days == floor(days) && days >= 1, false)])
    error_message = "retention_days are whole days, 1 or more; leave one out for the default."
  }

  validation {
    condition     = try(var.retention_days.places <= 365 && true, true) && try(var.retention_days.minutes <= 3650 && true, true)
    error_message = "retention_days.places is 365 at most and retention_days.minutes 3650: the archive is for what has to be kept longer."
  }
}

variable "cors_origins" {
  type        = list(string)
  default     = []
  nullable    = false
  description = "Other origins (https://shop.example.org) whose pages may call the token service and read its answers, with credentials. The waiting page and the site itself need none: they are of the same origin."

  validation {
    condition     = alltrue([for origin in var.cors_origins : can(regex("^https://[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?$", origin))])
    error_message = "cors_origins are origins as browsers send them: https://, a host in lower case, a port if it is not 443, no slash at the end and no wildcard."
  }
}

variable "origin_secret" {
  type        = string
  default     = null
  sensitive   = true
  description = "What CloudFront proves itself to the API with, and what the stage of the APIs is made of; null makes one. It is in the state either way, for the distribution holds it as an origin header: keep the state encrypted. To change one that was made: terraform apply -replace=module.<name>.terraform_data.origin_secret, while nothing is on sale."

  validation {
    condition     = var.origin_secret == null || can(regex("^[A-Za-z0-9_-]{32,128}$", var.origin_secret))
    error_message = "origin_secret has 32 to 128 letters, digits, hyphens and underscores, made at random; leave it out to have one made."
  }
}
