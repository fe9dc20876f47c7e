# Every rule about the language itself; `make lint-terraform` names this file for all modules and examples.
config {
  call_module_type = "local"
}

plugin "terraform" {
  enabled = true
  preset  = "all"
}
