# Terragrunt: no apply without a saved plan that the gate allows. In the root configuration:
#
#   include "plumb" { path = find_in_parent_folders("plumb.hcl") }
#
#   terragrunt plan -out=plan.tfplan && terragrunt apply plan.tfplan
terraform {
  before_hook "plumb_gate" {
    commands     = ["apply", "destroy"]
    execute      = ["plumb", "gate", "--plan", "plan.tfplan", "--stack", "."]
    run_on_error = false
  }
}
