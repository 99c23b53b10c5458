/* serve_tls.h - certificate and key of `plumb serve`: the files of serve.tls, made at the first
 * start where it says self_signed.
 *
 * Files:   the key 0600; neither is ever overwritten. Of several services that start in one folder
 *          at once one makes them
 */
#pragma once
#include <stdbool.h>

struct arena;
struct config;
struct err;
struct listener_options;
struct log;

/* options: address is set; tls_cert and tls_key are, where there is to be TLS. In the arena.
 * look: what would be made is made up, and no file is. */
bool serve_tls_read(struct arena *arena, const struct config *config, bool look,
                    const struct log *log, struct listener_options *options, struct err *err);
/* One line: which certificate is shown, and until when. Nothing without TLS. */
void serve_tls_tell(const struct listener_options *options, const struct log *log);
