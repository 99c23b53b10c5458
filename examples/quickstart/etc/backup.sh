#!/bin/sh
set -eu
tar -C /srv -czf "/var/backups/srv-$(date +%F).tar.gz" .
