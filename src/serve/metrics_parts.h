/* metrics_parts.h - what the figures that nobody counts are made from, when somebody scrapes. */
#pragma once

struct server;

/* --- metrics_store.c: what the store knows --- */
void metrics_of_store(struct server *server);

/* --- metrics_process.c: this process, its providers, its parts --- */
void metrics_of_process(struct server *server);
