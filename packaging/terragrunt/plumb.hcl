# Terragrunt: nothing is applied but a saved plan that the gate allows. In the root configuration:
#
#   include "plumb" { path = find_in_parent_folders("plumb.hcl") }
#
#   terragrunt plan -out=plan.tfplan && terragrunt apply plan.tfplan
#   terragrunt plan -destroy -out=plan.tfplan && terragrunt apply plan.tfplan      # instead of destroy
#
# plumb must be on the PATH. The stack is the unit, whose folder has terragrunt.hcl, also where Terragrunt runs a copy of it in
# .terragrunt-cache (with a download folder elsewhere it would be another stack, of which nothing is on record); it is read with
# the terraform or tofu that Terragrunt runs. Files
# that it generates beside the code (backend.tf, provider.tf) are files that git does not have: commit them, or set
# `gate: {require_clean: false}` in plumb.yaml; what is in .terragrunt-cache is Terragrunt's own, and not asked for.
terraform {
  before_hook "plumb_gate" {
    commands     = ["apply", "destroy"]
    run_on_error = false
    execute = concat(["sh", "-c", <<-EOT
      plan=
      for word in "$@"; do
        case "$word" in -* | apply | destroy) ;; *) plan=$word ;; esac
      done
      if [ -z "$plan" ]; then
        echo "plumb: no saved plan: terragrunt plan -out=plan.tfplan, then terragrunt apply plan.tfplan" >&2
        exit 1
      fi
      PLUMB_TERRAFORM=$TG_CTX_TF_PATH exec plumb gate --plan "$plan" --stack .
    EOT
    , "plumb-gate"], try(get_terraform_cli_args(), []))
  }
}
