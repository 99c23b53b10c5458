/* files.h - what the functions of the language may read: files below struct hcl_world's root_dir.
 */
#pragma once
#include "lang/hcl/function.h"

enum { HCL_FILE_MAX = 64 << 20 }; /* bytes of one file */

enum hcl_file_fault { HCL_FILE_OK, HCL_FILE_ABSENT, HCL_FILE_DIRECTORY, HCL_FILE_REFUSED };

/* `~` expanded, taken from base_dir, cleaned. False (call->why) where that cannot be. */
bool hcl_file_path(struct hcl_call *call, struct str path, struct str *ret);
/*
 * The content of a file. ret_fault says whether it is not there, a directory, or outside of
 * root_dir (symbolic links followed); call->why is set then, bad_arg blamed.
 */
bool hcl_file_read(struct hcl_call *call, int bad_arg, struct str path, struct str *ret,
                   enum hcl_file_fault *ret_fault);
/* The same as text; not UTF-8 is a failure of the call. */
bool hcl_file_text(struct hcl_call *call, struct str path, struct str *ret);
/* False (call->why): inside of templatestring no file may be looked at. */
bool hcl_file_allowed(struct hcl_call *call);
