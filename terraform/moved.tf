# Renaming or moving a resource must not make a customer's plan destroy one. Every address that a release ever had is in
# tests/terraform/addresses.txt; one that changes gets a moved block here, and a test fails until it has:
#
#     moved {
#       from = module.old
#       to   = module.new
#     }
#
# A block stays for two minor releases, as the changelog says. Whoever is further behind upgrades in steps.
