# A small server's configuration, written by Terraform. README.md tells what happened to it since.

terraform {
  required_providers {
    local = {
      source  = "hashicorp/local"
      version = "~> 2.5"
    }
  }
}

# Permissions are meant before umask, as the provider means them: "0666" is 0644 for most people.
# (A real secret would get "0600"; git keeps no such mode, and this example lives in git.)

resource "local_file" "app" {
  filename        = "${path.module}/etc/app.conf"
  file_permission = "0666"
  content         = <<-EOT
    [server]
    listen    = 127.0.0.1:8080
    workers   = 4

    [log]
    level     = info
    target    = syslog

    [session]
    timeout   = 900
    secure    = true
  EOT
}

resource "local_file" "motd" {
  filename        = "${path.module}/etc/motd"
  file_permission = "0666"
  content         = "This server is managed by code. Changes made here will be found.\n"
}

resource "local_file" "limits" {
  filename        = "${path.module}/etc/limits.json"
  file_permission = "0666"
  content = jsonencode({
    open_files = 65536
    processes  = { soft = 2048, hard = 4096 }
  })
}

resource "local_file" "backup_script" {
  filename        = "${path.module}/etc/backup.sh"
  file_permission = "0777"
  content         = <<-EOT
    #!/bin/sh
    set -eu
    tar -C /srv -czf "/var/backups/srv-$(date +%F).tar.gz" .
  EOT
}

resource "local_file" "backup_schedule" {
  filename        = "${path.module}/etc/backup.cron"
  file_permission = "0666"
  content         = "15 3 * * * root /etc/backup.sh\n"
}

resource "local_sensitive_file" "database" {
  filename             = "${path.module}/etc/database.env"
  file_permission      = "0666"
  directory_permission = "0777"
  content              = "DATABASE_USER=app\nDATABASE_PASSWORD=an-example-not-a-secret\n"
}
